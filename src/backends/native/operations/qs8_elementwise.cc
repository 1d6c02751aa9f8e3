// int8 arithmetic: functions of one number as byte tables, sums, products, and the way from and to float32.
#include <fmt/format.h>

#include "backends/native/operations/broadcast.h"
#include "backends/native/operations/evidence.h"
#include "backends/native/plan_builder.h"
#include "backends/native/quantised_nodes.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"
#include "kernels/qs8_vector/qs8_vector.h"

namespace etalon::native {
namespace {

// Below this an extra thread costs more than it saves.
constexpr std::int64_t kSharedElements = 128 * 1024;

// `Function` is called with the places of this many elements in, the same out, and their number.
template <class In, class Out, class Function>
class MapOperation final : public Operation {
 public:
  MapOperation(const UnaryPlaces& places, Function function)
      : in_(places.in.at), out_(places.out.at), nest_(places.nest), function_(std::move(function)) {}

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const In* in = context.at<const In>(in_);
    Out* out = context.at<Out>(out_);
    for_each_run(nest_, worker, workers, [&](const LoopNest::Offsets& at, std::int64_t begin, std::int64_t n) {
      function_(in + at[1] + begin, out + at[0] + begin, static_cast<std::size_t>(n));
    });
  }

 private:
  Operand in_, out_;
  LoopNest nest_;
  Function function_;
};

void finish(PlanBuilder& builder, const Node& node, std::unique_ptr<Operation> operation, std::string kernel,
            std::int64_t bytes_per_element) {
  const Dims& dims = builder.dims(node.output());
  const auto& kernels = kernels::qs8_vector_kernels(builder.settings().cap);
  auto& evidence = operation->evidence;
  set_isas(evidence, kernels.isa, kernels::best_qs8_isa(builder.settings().cap));
  evidence.kernel = fmt::format("{}_ukernel__{}", kernel, kernels.suffix);
  evidence.flops = numel(dims);
  evidence.bytes = numel(dims) * bytes_per_element;
  evidence.shape = shape_text(builder.dims(node.inputs[0]), dims);
  operation->is_shared = numel(dims) >= kSharedElements;
  builder.add(std::move(operation), node);
}

template <class In, class Out, class Function>
Status add_map(PlanBuilder& builder, const Node& node, std::string kernel, Function function) {
  const UnaryPlaces places = place_unary(builder, node);
  if (sizeof(In) == sizeof(Out) && places.nest.moves_alike(1)) builder.allow_in_place(places.out, places.in);
  auto operation = std::make_unique<MapOperation<In, Out, Function>>(places, std::move(function));
  finish(builder, node, std::move(operation), std::move(kernel), sizeof(In) + sizeof(Out));
  return {};
}

// How the kernels of one arithmetic take their operands.
struct SumKernels {
  static auto same(const kernels::Qs8VectorKernels& k) { return k.add; }
  static auto scalar(const kernels::Qs8VectorKernels& k) { return k.add_scalar; }
  static auto columns(const kernels::Qs8VectorKernels& k) { return k.add_columns; }
  static kernels::Qs8Sum swapped(kernels::Qs8Sum params) {
    std::swap(params.left, params.right);
    return params;
  }
};
struct ProductKernels {
  static auto same(const kernels::Qs8VectorKernels& k) { return k.multiply; }
  static auto scalar(const kernels::Qs8VectorKernels& k) { return k.multiply_scalar; }
  static auto columns(const kernels::Qs8VectorKernels& k) { return k.multiply_columns; }
  static kernels::Qs8Product swapped(kernels::Qs8Product params) {
    std::swap(params.left_zero, params.right_zero);
    return params;
  }
};

// Operands are ordered so that the first one is never the broadcast one.
template <class Kernels, class Params>
class Qs8BinaryOperation final : public Operation {
 public:
  Qs8BinaryOperation(const BinaryPlaces& places, const Params& params, const kernels::Qs8VectorKernels& kernels)
      : a_(places.a.at), b_(places.b.at), out_(places.out.at), nest_(places.nest), params_(params), kernels_(kernels) {
    const bool a_is_scalar = nest_.rank() != 0 && nest_.inner_stride(1) == 0;
    if (a_is_scalar || is_row_against_matrix(nest_, 2, 1)) {
      std::swap(a_, b_);
      nest_ = with_sides_swapped(nest_);
      params_ = Kernels::swapped(params_);
    }
    is_columns_ = is_row_against_matrix(nest_, 1, 2);
  }

  void run(const RunContext& context, unsigned worker, unsigned workers) const override {
    const auto* a = context.at<const std::int8_t>(a_);
    const auto* b = context.at<const std::int8_t>(b_);
    auto* out = context.at<std::int8_t>(out_);
    if (is_columns_) return run_columns(a, b, out, worker, workers);
    const bool b_is_scalar = nest_.rank() != 0 && nest_.inner_stride(2) == 0;
    const auto function = b_is_scalar ? Kernels::scalar(kernels_) : Kernels::same(kernels_);
    const std::int64_t a_step = nest_.inner_stride(1), b_step = nest_.inner_stride(2);
    for_each_run(nest_, worker, workers, [&](const LoopNest::Offsets& at, std::int64_t begin, std::int64_t n) {
      function(a + at[1] + begin * a_step, b + at[2] + begin * b_step, out + at[0] + begin,
               static_cast<std::size_t>(n), params_);
    });
  }

 private:
  void run_columns(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, unsigned worker,
                   unsigned workers) const {
    const std::size_t rank = nest_.rank();
    const std::int64_t columns = nest_.size(rank - 1);
    const Range rows = share_of(nest_.size(rank - 2), worker, workers);
    if (rows.begin == rows.end) return;
    nest_.for_each(2, 0, nest_.rounds(2), [&](const LoopNest::Offsets& at) {
      Kernels::columns(kernels_)(a + at[1] + rows.begin * columns, b + at[2], out + at[0] + rows.begin * columns,
                                 static_cast<std::size_t>(rows.end - rows.begin), static_cast<std::size_t>(columns),
                                 params_);
    });
  }

  Operand a_, b_, out_;
  LoopNest nest_;
  Params params_;
  const kernels::Qs8VectorKernels& kernels_;
  bool is_columns_ = false;
};

template <class Kernels, class Params>
Status add_binary(PlanBuilder& builder, const Node& node, const Params& params, std::string kernel) {
  const auto& kernels = kernels::qs8_vector_kernels(builder.settings().cap);
  BinaryPlaces places = place_binary(builder, node);
  if (places.nest.moves_alike(1)) builder.allow_in_place(places.out, places.a);
  if (places.nest.moves_alike(2)) builder.allow_in_place(places.out, places.b);
  // Two numbers against each other have one element, which either kernel does.
  auto operation = std::make_unique<Qs8BinaryOperation<Kernels, Params>>(places, params, kernels);
  finish(builder, node, std::move(operation), std::move(kernel), 3);
  return {};
}

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Qs8Table& table) {
  const auto translate = kernels::qs8_vector_kernels(builder.settings().cap).translate;
  return add_map<std::int8_t, std::int8_t>(
      builder, node, "x8_lut", [translate, bytes = table.bytes](const std::int8_t* in, std::int8_t* out, std::size_t n) {
        translate(in, out, n, bytes.data());
      });
}

Status lower(PlanBuilder& builder, const Node& node, const Quantise&) {
  const auto quantise = kernels::qs8_vector_kernels(builder.settings().cap).quantise;
  const auto& q = builder.value(node.output()).quantisation;
  return add_map<float, std::int8_t>(
      builder, node, "f32_qs8_vcvt",
      [quantise, inverse = 1 / q.scale, zero = q.zero_point](const float* in, std::int8_t* out, std::size_t n) {
        quantise(in, out, n, inverse, zero);
      });
}

Status lower(PlanBuilder& builder, const Node& node, const Dequantise&) {
  const auto dequantise = kernels::qs8_vector_kernels(builder.settings().cap).dequantise;
  const auto& q = builder.value(node.inputs[0]).quantisation;
  return add_map<std::int8_t, float>(
      builder, node, "qs8_f32_vcvt",
      [dequantise, scale = q.scale, zero = q.zero_point](const std::int8_t* in, float* out, std::size_t n) {
        dequantise(in, out, n, scale, zero);
      });
}

Status lower(PlanBuilder& builder, const Node& node, const Qs8Binary& binary) {
  const auto& a = builder.value(node.inputs[0]).quantisation;
  const auto& b = builder.value(node.inputs[1]).quantisation;
  const auto& out = builder.value(node.output()).quantisation;
  if (binary.op == kernels::Binary::kMultiply) {
    const kernels::Qs8Product params{.left_zero = a.zero_point,
                                     .right_zero = b.zero_point,
                                     .scale = *product_scale(a.scale, b.scale, out.scale),
                                     .zero_point = out.zero_point,
                                     .min = binary.limits.min,
                                     .max = binary.limits.max};
    return add_binary<ProductKernels>(builder, node, params, "qs8_vmul_minmax_fp32");
  }
  const auto sum = *reference::fixed_point_sum(a, b, out, binary.op == kernels::Binary::kSubtract);
  const kernels::Qs8Sum params{.bias = sum.bias,
                               .left = sum.left,
                               .right = sum.right,
                               .shift = sum.shift,
                               .zero_point = out.zero_point,
                               .min = binary.limits.min,
                               .max = binary.limits.max};
  return add_binary<SumKernels>(builder, node, params, "qs8_vadd_minmax");
}

}  // namespace etalon::native

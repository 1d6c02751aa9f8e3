// native_layer_norm: (x - mean) / sqrt(variance + eps) * weight + bias over the last dims.
#include <fmt/core.h>

#include "ops/op.h"
#include "ops/rows.h"

namespace etalon::ops {

namespace {

constexpr std::size_t kShape = 1;
constexpr std::size_t kWeight = 2;
constexpr std::size_t kBias = 3;
constexpr std::size_t kEps = 4;

// The statistics have the input's dtype, unless it is a half and the parameters are float32.
DType statistics_dtype(const Call& call) {
  const DType input = call.tensor(0).dtype();
  for (const std::size_t i : {kWeight, kBias}) {
    const TensorView* parameter = call.optional_tensor(i);
    if (parameter != nullptr && parameter->dtype() != input) return parameter->dtype();
  }
  return input;
}

Status check_parameter(const TensorView* parameter, const Dims& shape, DType input, std::string_view name) {
  if (parameter == nullptr) return {};
  if (parameter->sizes() != shape) {
    return invalid_input(fmt::format("{} is {}, want {}", name, to_string(parameter->sizes()), to_string(shape)));
  }
  const bool mixed = size_of(input) == 2 && parameter->dtype() == DType::kFloat32;
  if (parameter->dtype() != input && !mixed) {
    return invalid_input(fmt::format("{} is {}, want {}", name, name_of(parameter->dtype()), name_of(input)));
  }
  return {};
}

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  const auto shape = call.ints(kShape);
  if (!is_floating(input.dtype())) return unsupported("dtype " + std::string(name_of(input.dtype())));
  const std::size_t outer = input.rank() - std::min(shape.size(), input.rank());
  if (shape.empty() || shape.size() > input.rank() ||
      !std::equal(shape.begin(), shape.end(), input.sizes().begin() + outer)) {
    return invalid_input(fmt::format("normalized shape {} is not the end of the input's {}",
                                     to_string(Dims(shape.first(std::min(shape.size(), kMaxRank)))),
                                     to_string(input.sizes())));
  }
  ETALON_CHECKED(check_parameter(call.optional_tensor(kWeight), Dims(shape), input.dtype(), "weight"));
  ETALON_CHECKED(check_parameter(call.optional_tensor(kBias), Dims(shape), input.dtype(), "bias"));
  Dims sizes = input.sizes();
  for (std::size_t d = outer; d < sizes.size(); ++d) sizes[d] = 1;
  ETALON_CHECKED(outs.set(0, input.dtype(), input.sizes()));
  ETALON_CHECKED(outs.set(1, statistics_dtype(call), sizes));
  return outs.set(2, statistics_dtype(call), sizes);
}

// The dims of `view` from `outer` on, at element `offset`.
StridedView inner_dims(const TensorView& view, std::size_t outer, std::int64_t offset) {
  const StridedView whole(view);
  return {view.dtype(), Dims(view.sizes().span().subspan(outer)), Dims(view.strides().span().subspan(outer)),
          whole.at(offset)};
}

// Where row `index` begins; counting rows in row-major order of the outer dims.
std::int64_t row_offset(const TensorView& view, std::size_t outer, std::int64_t index) {
  std::int64_t offset = 0;
  for (std::size_t d = outer; d-- > 0;) {
    offset += index % view.size(d) * view.stride(d);
    index /= view.size(d);
  }
  return offset;
}

template <class Compute>
void normalize(const Compute* from, Compute* to, std::int64_t count, const Moments& moments, const Compute* weight,
               const Compute* bias) {
  const auto scale = static_cast<Compute>(moments.rstd);
  const auto mean = static_cast<Compute>(moments.mean);
  const auto run = [&](auto factor, auto offset) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = (from[i] - mean) * scale * factor(i) + offset(i);
  };
  const auto one = [](std::int64_t) { return Compute{1}; };
  const auto zero = [](std::int64_t) { return Compute{0}; };
  const auto w = [weight](std::int64_t i) { return weight[i]; };
  const auto b = [bias](std::int64_t i) { return bias[i]; };
  if (weight != nullptr && bias != nullptr) run(w, b);
  else if (weight != nullptr) run(w, zero);
  else if (bias != nullptr) run(one, b);
  else run(one, zero);
}

template <class Compute>
const Compute* read_parameter(const TensorView* parameter, ScratchArrays& arrays) {
  if (parameter == nullptr) return nullptr;
  return read_row(StridedView(*parameter), arrays.take<Compute>(parameter->numel()));
}

template <class Compute>
Status run(const Call& call) {
  const TensorView& input = call.tensor(0);
  const TensorView& out = call.out(0);
  const std::size_t outer = input.rank() - call.ints(kShape).size();
  std::int64_t count = 1;
  for (std::size_t d = outer; d < input.rank(); ++d) count *= input.size(d);
  ScratchArrays arrays(call.scratch());
  const Compute* weight = read_parameter<Compute>(call.optional_tensor(kWeight), arrays);
  const Compute* bias = read_parameter<Compute>(call.optional_tensor(kBias), arrays);
  auto* read_buffer = arrays.take<Compute>(count);
  auto* write_buffer = arrays.take<Compute>(count);
  const std::int64_t rows = call.out(1).numel();
  for (std::int64_t i = 0; i < rows; ++i) {
    const Compute* from = read_row(inner_dims(input, outer, row_offset(input, outer, i)), read_buffer);
    const Moments moments = moments_of(from, count, call.number(kEps));
    const StridedView target = inner_dims(out, outer, row_offset(out, outer, i));
    Compute* to = row_to_write(target, write_buffer);
    normalize(from, to, count, moments, weight, bias);
    write_row(to, target);
    store_element(call.out(1), row_offset(call.out(1), outer, i), moments.mean);
    store_element(call.out(2), row_offset(call.out(2), outer, i), moments.rstd);
  }
  return {};
}

Status kernel(const Call& call) {
  return visit_compute_type(call.tensor(0).dtype(),
                            [&](auto tag) -> Status { return run<typename decltype(tag)::type>(call); });
}

std::size_t scratch(const Call& call) {
  std::int64_t count = 1;
  for (const std::int64_t size : call.ints(kShape)) count *= size;
  return scratch_for(4, count);
}

// Sum, squared distance, scaling.
std::int64_t flops(const Call& call) { return 8 * call.tensor(0).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps)"
               " -> (Tensor, Tensor, Tensor)",
     .out_name = "aten::native_layer_norm.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .scratch = scratch,
     .tolerance = {1e-5, 1e-5}},
};

}  // namespace

extern constinit const OpFamily kLayerNormOps{kRows};

}  // namespace etalon::ops

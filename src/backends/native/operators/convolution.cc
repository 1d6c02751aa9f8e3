// Convolutions of one or two spatial dims.
//
// Kernels keep no state, so weights are packed at every call and the choice of algorithm counts that in. Row-major
// images are brought to channels-last order and back in scratch memory, except where there is nothing to gain: a 1x1
// convolution of planes is a product of matrices as it stands.
#include "backends/native/operators/images.h"
#include "backends/native/operators/layout_facts.h"
#include "kernels/batch_matmul/batch_matmul.h"
#include "kernels/conv2d/conv2d.h"
#include "ops/convolution_geometry.h"

namespace etalon::native {
namespace {

using kernels::Binary;
using kernels::Conv2dAlgorithm;
using kernels::Conv2dShape;
using kernels::Isa;
using kernels::MatmulShape;
using ops::Call;

constexpr kernels::Machine kMachine{};
constexpr float kInf = __builtin_inff();

struct Problem {
  Conv2dShape shape;
  bool input_is_planar;
  bool output_is_planar;
  bool filter_is_planar;  // taps innermost, as torch stores them

  std::int64_t in_pixels() const { return shape.in_h * shape.in_w; }
  std::int64_t out_pixels() const { return shape.out_h * shape.out_w; }
  std::int64_t taps() const { return shape.kernel_h * shape.kernel_w; }
  std::int64_t group_channels() const { return shape.in_c / shape.groups; }
  bool is_planar_product() const { return input_is_planar && output_is_planar && shape.is_pointwise(); }
};

const char* find_problem(const Call& call, Problem& p) {
  const TensorView& x = call.tensor(0);
  const TensorView& weight = call.tensor(1);
  const TensorView& out = call.out();
  const TensorView* bias = call.optional_tensor(2);
  if (!is_float(x) || !is_float(weight) || !is_float(out) || (bias != nullptr && !is_float(*bias))) return kNotFloat;
  if (x.rank() > 4) return "wants at most two spatial dims";
  for (const TensorView* t : {&x, &weight, &out}) {
    if (!t->is_contiguous() && !has_channels_inside(*t)) return "wants planes or channels-last images";
    if (t->numel() == 0) return "wants elements";
  }
  const auto geometry = ops::convolution_geometry(x, weight, call, ops::kConvolutionArgs);
  if (!geometry.ok()) return "wants valid arguments";
  const ops::ConvolutionGeometry& g = *geometry;
  if (g.transposed) return "has no kernel for transposed convolutions";
  p.shape = {.batch = g.batch,
             .in_h = g.in_size[1], .in_w = g.in_size[2], .in_c = g.in_channels * g.groups,
             .out_h = g.out_size[1], .out_w = g.out_size[2], .out_c = g.out_channels * g.groups,
             .kernel_h = g.kernel[1], .kernel_w = g.kernel[2],
             .stride_h = g.stride[1], .stride_w = g.stride[2],
             .dilation_h = g.dilation[1], .dilation_w = g.dilation[2],
             .pad_top = g.padding[1], .pad_left = g.padding[2],
             .groups = g.groups,
             .in_pixel_stride = g.in_channels * g.groups, .out_pixel_stride = g.out_channels * g.groups};
  p.input_is_planar = !has_channels_inside(x);
  p.output_is_planar = !has_channels_inside(out);
  p.filter_is_planar = !has_channels_inside(weight);
  return nullptr;
}

// The algorithm with the fewest cycles, of which the packing takes about one per 8 bytes.
const Conv2dAlgorithm* find_algorithm(const Conv2dShape& shape, Isa cap) {
  const Conv2dAlgorithm* best = nullptr;
  double fewest = 0;
  for (const Conv2dAlgorithm* algorithm : kernels::conv2d_algorithms()) {
    if (!kernels::is_within(algorithm->isa, cap) || algorithm->is_depthwise != shape.is_depthwise()) continue;
    if (algorithm->math != kernels::MathMode::kExact || algorithm->refusal(shape, {}) != nullptr) continue;
    const double cycles = algorithm->cycles(shape, kMachine) + static_cast<double>(algorithm->packed_bytes(shape)) / 8;
    if (best != nullptr && cycles >= fewest) continue;
    best = algorithm;
    fewest = cycles;
  }
  return best;
}

// --- row-major 1x1 convolutions: planes of output = weight x planes of input --------------------------------------

MatmulShape product_shape(const Problem& p) {
  const std::int64_t n = p.out_pixels();
  return {p.shape.out_c, n, p.shape.in_c, p.shape.in_c, n, n, false, 1.0f};
}

// Rows that are multiplied before the bias is added, so that they are still in the cache.
std::int64_t rows_at_once(std::int64_t n) { return std::clamp<std::int64_t>(65536 / n, 8, 64); }

void run_product(const Call& call, const Problem& p, Isa cap) {
  const kernels::BatchMatmulKernel& kernel = kernels::batch_matmul_kernel(cap);
  const auto add = kernels::vector_kernels(cap).binary_scalar[static_cast<std::size_t>(Binary::kAdd)];
  const MatmulShape shape = product_shape(p);
  const TensorView* bias = call.optional_tensor(2);
  const std::int64_t step = bias == nullptr ? shape.m : rows_at_once(shape.n);
  for (std::int64_t image = 0; image < p.shape.batch; ++image) {
    const float* x = call.tensor(0).data_as<const float>() + image * shape.k * shape.n;
    float* out = call.out().data_as<float>() + image * shape.m * shape.n;
    for (std::int64_t row = 0; row < shape.m; row += step) {
      const std::int64_t end = std::min(shape.m, row + step);
      kernel.run(shape, call.tensor(1).data_as<const float>(), x, out, row, end, row > 0, call.scratch().data());
      for (std::int64_t r = row; bias != nullptr && r < end; ++r) {
        float* plane = out + r * shape.n;
        add(plane, bias->data_as<const float>() + r, plane, static_cast<std::size_t>(shape.n), -kInf, kInf);
      }
    }
  }
}

// --- everything else ---------------------------------------------------------------------------------------------

struct Plan {
  Problem problem;
  const Conv2dAlgorithm* algorithm = nullptr;
  ScratchPlan memory;
  std::size_t input = 0, output = 0, filter = 0, packed = 0, own = 0;  // offsets of scratch
  bool transposes_input = false;

  Plan(const Problem& found, Isa cap) : problem(found) {
    Conv2dShape& shape = problem.shape;
    if (problem.input_is_planar && shape.in_c <= 4) {  // the model's input: some algorithm may read planes
      shape.input_is_nchw = true;
      algorithm = find_algorithm(shape, cap);
      shape.input_is_nchw = algorithm != nullptr && algorithm->isa != Isa::kScalar;
    }
    if (!shape.input_is_nchw) algorithm = find_algorithm(shape, cap);
    transposes_input = problem.input_is_planar && !shape.input_is_nchw && problem.in_pixels() > 1;
    if (transposes_input) input = memory.take_floats(shape.batch * problem.in_pixels() * shape.in_c);
    if (problem.output_is_planar) output = memory.take_floats(shape.batch * problem.out_pixels() * shape.out_c);
    filter = memory.take_floats(shape.out_c * problem.taps() * problem.group_channels());
    packed = memory.take(algorithm->packed_bytes(shape));
    own = memory.take(algorithm->scratch_bytes(shape, kMachine));
  }
};

// The filter as the algorithm packs it: [out][taps][in], or [taps][out] of depthwise convolutions.
const float* arrange_filter(const Call& call, const Plan& plan, float* buffer, Isa cap) {
  const Problem& p = plan.problem;
  const float* filter = call.tensor(1).data_as<const float>();
  if (plan.algorithm->is_depthwise) {
    transpose_each(filter, buffer, 1, p.shape.out_c, p.taps(), cap);  // one channel: both orders are the same
    return buffer;
  }
  if (!p.filter_is_planar || p.taps() == 1 || p.group_channels() == 1) return filter;
  transpose_each(filter, buffer, p.shape.out_c, p.group_channels(), p.taps(), cap);
  return buffer;
}

void run_plan(const Call& call, const Plan& plan, Isa cap) {
  const Problem& p = plan.problem;
  const Conv2dShape& shape = p.shape;
  std::byte* scratch = call.scratch().data();
  const auto buffer = [scratch](std::size_t offset) { return reinterpret_cast<float*>(scratch + offset); };
  const TensorView* bias = call.optional_tensor(2);
  plan.algorithm->pack(shape, arrange_filter(call, plan, buffer(plan.filter), cap),
                       bias == nullptr ? nullptr : bias->data_as<const float>(), scratch + plan.packed);
  const float* x = call.tensor(0).data_as<const float>();
  if (plan.transposes_input) {
    transpose_each(x, buffer(plan.input), shape.batch, shape.in_c, p.in_pixels(), cap);
    x = buffer(plan.input);
  }
  float* out = call.out().data_as<float>();
  const kernels::Conv2dCall job{.input = x,
                                .output = p.output_is_planar ? buffer(plan.output) : out,
                                .packed = scratch + plan.packed,
                                .scratch = scratch + plan.own};
  plan.algorithm->run(shape, {}, kMachine, job, 0, 1);
  if (p.output_is_planar) transpose_each(job.output, out, shape.batch, p.out_pixels(), shape.out_c, cap);
}

struct Convolution {
  static constexpr bool kWantsSimd = true;
  static constexpr std::string_view kOutName = "aten::convolution.out";
  static const char* refusal(const Call& call) {
    Problem p;
    return find_problem(call, p);
  }
  static std::size_t scratch(const Call& call, Isa cap) {
    Problem p;
    find_problem(call, p);
    if (p.is_planar_product()) return kernels::batch_matmul_kernel(cap).scratch_bytes(product_shape(p));
    return Plan(p, cap).memory.bytes();
  }
  static Status run(const Call& call, Isa cap) {
    Problem p;
    find_problem(call, p);
    if (p.is_planar_product()) {
      run_product(call, p, cap);
    } else {
      run_plan(call, Plan(p, cap), cap);
    }
    return {};
  }
  static KernelLabel label(const Call& call, Isa cap) {
    Problem p;
    find_problem(call, p);
    if (p.is_planar_product()) {
      const kernels::BatchMatmulKernel& kernel = kernels::batch_matmul_kernel(cap);
      return {std::string(kernel.name), kernel.isa};
    }
    const Conv2dAlgorithm& algorithm = *Plan(p, cap).algorithm;
    return {std::string(algorithm.name), algorithm.isa};
  }
};

constexpr NativeOperator kRows[] = {native_operator<Convolution>()};

}  // namespace

extern constinit const NativeFamily kConvolutionOperators{kRows};

}  // namespace etalon::native

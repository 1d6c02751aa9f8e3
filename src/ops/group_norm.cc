// native_group_norm: normalises each group of channels of each image, then scales and shifts each channel.
#include <fmt/core.h>

#include "ops/op.h"
#include "ops/rows.h"

namespace etalon::ops {

namespace {

// native_group_norm(input, weight, bias, N, C, HxW, group, eps)
struct Shape {
  std::int64_t batch, channels, positions, groups;

  std::int64_t group_channels() const { return channels / groups; }
};

Shape shape_of(const Call& call) { return {call.integer(3), call.integer(4), call.integer(5), call.integer(6)}; }

Status check_parameter(const TensorView* parameter, std::int64_t channels, std::string_view name) {
  if (parameter == nullptr || parameter->sizes() == Dims{channels}) return {};
  return invalid_input(fmt::format("{} is {}, want {}", name, to_string(parameter->sizes()), to_string(Dims{channels})));
}

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  const Shape shape = shape_of(call);
  if (!is_floating(input.dtype())) return unsupported("dtype " + std::string(name_of(input.dtype())));
  const bool fits = input.rank() >= 2 && input.size(0) == shape.batch && input.size(1) == shape.channels &&
                    numel(Dims(input.sizes().span().subspan(2))) == shape.positions;
  if (!fits) {
    return invalid_input(fmt::format("input is {}, N, C and HxW say {}, {}, {}", to_string(input.sizes()), shape.batch,
                                     shape.channels, shape.positions));
  }
  if (shape.groups < 1 || shape.channels % shape.groups != 0) {
    return invalid_input(fmt::format("{} channels cannot be split into {} groups", shape.channels, shape.groups));
  }
  ETALON_CHECKED(check_parameter(call.optional_tensor(1), shape.channels, "weight"));
  ETALON_CHECKED(check_parameter(call.optional_tensor(2), shape.channels, "bias"));
  DType statistics = input.dtype();
  if (const TensorView* weight = call.optional_tensor(1)) statistics = weight->dtype();
  ETALON_CHECKED(outs.set(0, input.dtype(), input.sizes()));
  ETALON_CHECKED(outs.set(1, statistics, Dims{shape.batch, shape.groups}));
  return outs.set(2, statistics, Dims{shape.batch, shape.groups});
}

template <class Compute>
void normalize(const Compute* from, Compute* to, const Shape& shape, const Moments& moments, const Compute* weight,
               const Compute* bias) {
  for (std::int64_t c = 0; c < shape.group_channels(); ++c) {
    const double factor = moments.rstd * (weight != nullptr ? static_cast<double>(weight[c]) : 1.0);
    const auto mean = static_cast<Compute>(moments.mean);
    const auto scale = static_cast<Compute>(factor);
    const Compute shift = bias != nullptr ? bias[c] : Compute{0};
    for (std::int64_t i = 0; i < shape.positions; ++i) to[i] = (from[i] - mean) * scale + shift;
    from += shape.positions;
    to += shape.positions;
  }
}

template <class Compute>
const Compute* read_parameter(const TensorView* parameter, ScratchArrays& arrays) {
  if (parameter == nullptr) return nullptr;
  return read_row(StridedView(*parameter), arrays.take<Compute>(parameter->numel()));
}

template <class Compute>
Status run(const Call& call) {
  const Shape shape = shape_of(call);
  const std::int64_t channels = shape.group_channels();
  const std::int64_t count = channels * shape.positions;
  ScratchArrays arrays(call.scratch());
  const Compute* weight = read_parameter<Compute>(call.optional_tensor(1), arrays);
  const Compute* bias = read_parameter<Compute>(call.optional_tensor(2), arrays);
  auto* read_buffer = arrays.take<Compute>(count);
  auto* write_buffer = arrays.take<Compute>(count);
  for (std::int64_t n = 0; n < shape.batch; ++n) {
    const StridedView image = StridedView(call.tensor(0)).selected(0, n);
    const StridedView result = StridedView(call.out(0)).selected(0, n);
    for (std::int64_t g = 0; g < shape.groups; ++g) {
      const Compute* from = read_row(image.narrowed(0, g * channels, channels), read_buffer);
      const Moments moments = moments_of(from, count, call.number(7));
      const StridedView target = result.narrowed(0, g * channels, channels);
      Compute* to = row_to_write(target, write_buffer);
      normalize(from, to, shape, moments, weight == nullptr ? nullptr : weight + g * channels,
                bias == nullptr ? nullptr : bias + g * channels);
      write_row(to, target);
      store_element(call.out(1), n * call.out(1).stride(0) + g * call.out(1).stride(1), moments.mean);
      store_element(call.out(2), n * call.out(2).stride(0) + g * call.out(2).stride(1), moments.rstd);
    }
  }
  return {};
}

Status kernel(const Call& call) {
  return visit_compute_type(call.tensor(0).dtype(),
                            [&](auto tag) -> Status { return run<typename decltype(tag)::type>(call); });
}

std::size_t scratch(const Call& call) {
  const Shape shape = shape_of(call);
  return scratch_for(2, shape.channels) + scratch_for(2, shape.group_channels() * shape.positions);
}

std::int64_t flops(const Call& call) { return 7 * call.tensor(0).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, "
               "int group, float eps) -> (Tensor, Tensor, Tensor)",
     .out_name = "aten::native_group_norm.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .scratch = scratch,
     .tolerance = {1e-5, 1e-5}},
};

}  // namespace

extern constinit const OpFamily kGroupNormOps{kRows};

}  // namespace etalon::ops

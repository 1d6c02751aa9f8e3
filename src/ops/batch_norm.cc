// Batch normalisation: per channel (dim 1), (x - mean) / sqrt(variance + eps) * weight + bias.
//
// Training uses the batch's statistics, returns them, and moves the running ones towards them; otherwise the running
// statistics are used and the returned ones are empty.
#include <fmt/core.h>

#include <cmath>

#include "ops/op.h"
#include "ops/reduction.h"
#include "ops/rows.h"

namespace etalon::ops {

namespace {

// Where the arguments after input, weight and bias are; -1: not there.
struct Form {
  int running;   // running mean, followed by running variance
  int training;
  std::size_t momentum;
  std::size_t eps;

  bool trains(const Call& call) const { return training >= 0 && call.flag(static_cast<std::size_t>(training)); }
};
constexpr Form kLegit{3, 5, 6, 7};
constexpr Form kNoStats{-1, 3, 4, 5};
constexpr Form kNoTraining{3, -1, 5, 6};

Status check_parameter(const TensorView* parameter, std::int64_t channels, std::string_view name) {
  if (parameter == nullptr || (parameter->sizes() == Dims{channels} && is_floating(parameter->dtype()))) return {};
  return invalid_input(fmt::format("{} is {} {}, want {} floating numbers", name, name_of(parameter->dtype()),
                                   to_string(parameter->sizes()), channels));
}

template <const Form& kForm>
const TensorView* running(const Call& call, std::size_t which) {
  if constexpr (kForm.running < 0) return nullptr;
  else return call.optional_tensor(static_cast<std::size_t>(kForm.running) + which);
}

// torch computes the statistics in the parameters' dtype when the input is a half and they are not.
template <const Form& kForm>
DType statistics_dtype(const Call& call) {
  for (const TensorView* parameter : {call.optional_tensor(1), running<kForm>(call, 0)}) {
    if (parameter != nullptr) return parameter->dtype();
  }
  return call.tensor(0).dtype();
}

template <const Form& kForm>
Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  if (input.rank() < 2) return invalid_input(fmt::format("input {}, want at least two dims", to_string(input.sizes())));
  if (!is_floating(input.dtype())) return unsupported("dtype " + std::string(name_of(input.dtype())));
  const std::int64_t channels = input.size(1);
  ETALON_CHECKED(check_parameter(call.optional_tensor(1), channels, "weight"));
  ETALON_CHECKED(check_parameter(call.optional_tensor(2), channels, "bias"));
  ETALON_CHECKED(check_parameter(running<kForm>(call, 0), channels, "running mean"));
  ETALON_CHECKED(check_parameter(running<kForm>(call, 1), channels, "running variance"));
  if (!kForm.trains(call) && running<kForm>(call, 0) == nullptr) {
    return unsupported("batch norm without running statistics and without training");
  }
  const Dims statistics{kForm.trains(call) ? channels : 0};
  ETALON_CHECKED(outs.set(0, input.dtype(), input.sizes()));
  ETALON_CHECKED(outs.set(1, statistics_dtype<kForm>(call), statistics));
  return outs.set(2, statistics_dtype<kForm>(call), statistics);
}

double element(const TensorView& view, std::int64_t i) {
  double value = 0.0;
  convert_run(view.dtype(), view.data_as<std::byte>() + static_cast<std::size_t>(i) * size_of(view.dtype()),
              DType::kFloat64, &value, 1);
  return value;
}

double element_or(const TensorView* view, std::int64_t i, double fallback) {
  return view == nullptr ? fallback : element(*view, i);
}

struct ChannelArrays {
  double* mean;
  double* rstd;
};

// The batch's own statistics, which also move the running ones.
template <const Form& kForm, class T>
void use_batch(const Call& call, const ChannelArrays& arrays) {
  const TensorView& input = call.tensor(0);
  const DimMask all_but_channels = ((DimMask{1} << input.rank()) - 1u) & ~DimMask{2};
  const ReducePlan plan(input, all_but_channels, Dims{1});
  const auto count = static_cast<double>(plan.count);
  const double momentum = call.number(kForm.momentum);
  const auto move = [&](std::size_t which, std::int64_t channel, double target) {
    const TensorView* view = running<kForm>(call, which);
    if (view == nullptr) return;
    store_element(*view, channel, momentum * target + (1.0 - momentum) * element(*view, channel));
  };
  reduce(plan, input.data_as<T>(), [](std::int64_t) { return Sum<double>{}; },
         [&](std::int64_t channel, double total) { arrays.mean[channel] = total / count; });
  reduce(plan, input.data_as<T>(), [&](std::int64_t channel) { return SquaredDistance{arrays.mean[channel]}; },
         [&](std::int64_t channel, double total) {
           arrays.rstd[channel] = 1.0 / std::sqrt(total / count + call.number(kForm.eps));
           move(0, channel, arrays.mean[channel]);
           move(1, channel, total / (count - 1.0));
           store_element(call.out(1), channel, arrays.mean[channel]);
           store_element(call.out(2), channel, arrays.rstd[channel]);
         });
}

template <const Form& kForm>
void use_running(const Call& call, const ChannelArrays& arrays) {
  for (std::int64_t channel = 0; channel < call.tensor(0).size(1); ++channel) {
    arrays.mean[channel] = element(*running<kForm>(call, 0), channel);
    arrays.rstd[channel] = 1.0 / std::sqrt(element(*running<kForm>(call, 1), channel) + call.number(kForm.eps));
  }
}

template <class T>
void scale_and_shift(const TensorView& input, const TensorView& out, const MathTypeOf<T>* scale,
                     const MathTypeOf<T>* shift) {
  using Math = MathTypeOf<T>;
  Dims channel_strides(input.rank(), 0);
  channel_strides[1] = 1;
  const LoopNest<3> nest(input.sizes(), {input.strides(), out.strides(), channel_strides});
  const std::int64_t in_step = nest.empty ? 0 : nest.step(0);
  const std::int64_t out_step = nest.empty ? 0 : nest.step(1);
  const std::int64_t channel_step = nest.empty ? 0 : nest.step(2);
  for_each_run(nest, [&](const auto& offsets) {
    const T* from = input.data_as<T>() + offsets[0];
    T* to = out.data_as<T>() + offsets[1];
    const Math* a = scale + offsets[2];
    const Math* b = shift + offsets[2];
    if (channel_step == 0 && in_step == 1 && out_step == 1) {
      const Math factor = *a, offset = *b;
      for (std::int64_t i = 0; i < nest.run(); ++i) to[i] = T(static_cast<Math>(from[i]) * factor + offset);
    } else {
      for (std::int64_t i = 0; i < nest.run(); ++i) {
        const Math value = static_cast<Math>(from[i * in_step]) * a[i * channel_step] + b[i * channel_step];
        to[i * out_step] = T(value);
      }
    }
  });
}

template <const Form& kForm>
Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  const std::int64_t channels = input.size(1);
  ScratchArrays scratch(call.scratch());
  const ChannelArrays arrays{scratch.take<double>(channels), scratch.take<double>(channels)};
  return visit_floating(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    using Math = MathTypeOf<T>;
    if (kForm.trains(call)) use_batch<kForm, T>(call, arrays);
    else use_running<kForm>(call, arrays);
    auto* scale = scratch.take<Math>(channels);
    auto* shift = scratch.take<Math>(channels);
    for (std::int64_t c = 0; c < channels; ++c) {
      const double factor = arrays.rstd[c] * element_or(call.optional_tensor(1), c, 1.0);
      scale[c] = static_cast<Math>(factor);
      shift[c] = static_cast<Math>(element_or(call.optional_tensor(2), c, 0.0) - arrays.mean[c] * factor);
    }
    scale_and_shift<T>(input, call.out(0), scale, shift);
    return {};
  });
}

std::size_t scratch(const Call& call) { return call.tensor(0).rank() < 2 ? 0 : scratch_for(4, call.tensor(0).size(1)); }

std::int64_t flops_inference(const Call& call) { return 2 * call.tensor(0).numel(); }
template <const Form& kForm>
std::int64_t flops(const Call& call) {
  return (kForm.trains(call) ? 6 : 2) * call.tensor(0).numel();
}

constexpr Tolerance kTolerance{1e-5, 1e-5};

constexpr OpDef kRows[] = {
    {.schema = "aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, "
               "Tensor(b!) running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     .out_name = "aten::_native_batch_norm_legit.out",
     .infer = infer<kLegit>,
     .kernel = kernel<kLegit>,
     .flops = flops<kLegit>,
     .scratch = scratch,
     .tolerance = kTolerance},
    {.schema = "aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, "
               "float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     .out_name = "aten::_native_batch_norm_legit.no_stats_out",
     .infer = infer<kNoStats>,
     .kernel = kernel<kNoStats>,
     .flops = flops<kNoStats>,
     .scratch = scratch,
     .tolerance = kTolerance},
    {.schema = "aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor "
               "running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     .out_name = "aten::_native_batch_norm_legit_no_training.out",
     .infer = infer<kNoTraining>,
     .kernel = kernel<kNoTraining>,
     .flops = flops_inference,
     .scratch = scratch,
     .tolerance = kTolerance},
};

}  // namespace

extern constinit const OpFamily kBatchNormOps{kRows};

}  // namespace etalon::ops

// Normalisation of the channels of images: with given statistics (batch norm), or with those of groups of channels.
#include <algorithm>
#include <cmath>

#include "backends/native/operators/images.h"
#include "backends/native/operators/layout_facts.h"

namespace etalon::native {
namespace {

using kernels::Binary;
using kernels::Isa;
using ops::Call;

constexpr float kInf = __builtin_inff();
// Pixels that are scaled before they are offset, while they are still in the cache.
constexpr std::int64_t kPixelsAtOnce = 64;

// What a channel is multiplied by, and what is then added.
struct Line {
  float factor, offset;
};

class Planes {
 public:
  explicit Planes(Isa cap)
      : multiply_(kernels::vector_kernels(cap).binary_scalar[static_cast<std::size_t>(Binary::kMultiply)]),
        add_(kernels::vector_kernels(cap).binary_scalar[static_cast<std::size_t>(Binary::kAdd)]) {}
  void apply(const Line& line, const float* x, float* out, std::int64_t count) const {
    const auto n = static_cast<std::size_t>(count);
    multiply_(x, &line.factor, out, n, -kInf, kInf);
    add_(out, &line.offset, out, n, -kInf, kInf);
  }

 private:
  kernels::BinaryFn multiply_, add_;
};

float element_or(const TensorView* t, std::int64_t i, float fallback) {
  return t == nullptr ? fallback : t->data_as<const float>()[i];
}

struct BatchNorm {
  static constexpr std::string_view kOutName = "aten::_native_batch_norm_legit_no_training.out";

  static const char* refusal(const Call& call) {
    for (std::size_t i = 0; i < 5; ++i) {
      const TensorView* t = call.optional_tensor(i);
      if (t != nullptr && !is_float(*t)) return kNotFloat;
    }
    const TensorView& x = call.tensor(0);
    if (!is_float(call.out())) return kNotFloat;
    if (x.rank() < 2 || x.numel() == 0) return "wants images";
    if (!same_layout(x, call.out())) return kOtherLayout;
    return x.is_contiguous() || has_channels_inside(x) ? nullptr : "wants planes or channels-last images";
  }
  static std::size_t scratch(const Call& call, Isa) {
    return has_channels_inside(call.tensor(0)) ? 2 * plan_row(call.tensor(0).size(1)) : 0;
  }
  static Status run(const Call& call, Isa cap) {
    has_channels_inside(call.tensor(0)) ? run_pixels(call, cap) : run_planes(call, cap);
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label("vmulcaddc", cap); }

 private:
  static std::size_t plan_row(std::int64_t channels) { return (static_cast<std::size_t>(channels) + 15) / 16 * 64; }
  static Line line_of(const Call& call, std::int64_t channel) {
    const double variance = element_or(call.optional_tensor(4), channel, 1);
    const double rstd = 1.0 / std::sqrt(variance + call.number(6));
    const double factor = rstd * static_cast<double>(element_or(call.optional_tensor(1), channel, 1));
    const double mean = element_or(call.optional_tensor(3), channel, 0);
    const double bias = element_or(call.optional_tensor(2), channel, 0);
    return {static_cast<float>(factor), static_cast<float>(bias - mean * factor)};
  }
  static void run_planes(const Call& call, Isa cap) {
    const TensorView& x = call.tensor(0);
    const std::int64_t channels = x.size(1), count = x.numel() / x.size(0) / channels;
    const Planes planes(cap);
    for (std::int64_t i = 0; i < x.size(0) * channels; ++i) {
      planes.apply(line_of(call, i % channels), x.data_as<const float>() + i * count,
                   call.out().data_as<float>() + i * count, count);
    }
  }
  static void run_pixels(const Call& call, Isa cap) {
    const TensorView& x = call.tensor(0);
    const kernels::VectorKernels& k = kernels::vector_kernels(cap);
    const std::int64_t channels = x.size(1), pixels = x.numel() / channels;
    auto* factors = reinterpret_cast<float*>(call.scratch().data());
    auto* offsets = reinterpret_cast<float*>(call.scratch().data() + plan_row(channels));
    for (std::int64_t c = 0; c < channels; ++c) {
      const Line line = line_of(call, c);
      factors[c] = line.factor;
      offsets[c] = line.offset;
    }
    for (std::int64_t i = 0; i < pixels; i += kPixelsAtOnce) {
      const auto rows = static_cast<std::size_t>(std::min(kPixelsAtOnce, pixels - i));
      float* out = call.out().data_as<float>() + i * channels;
      k.scale_columns(x.data_as<const float>() + i * channels, factors, out, rows, static_cast<std::size_t>(channels));
      k.add_columns(out, offsets, out, rows, static_cast<std::size_t>(channels), -kInf, kInf);
    }
  }
};

struct GroupNorm : NoScratch {
  static constexpr std::string_view kOutName = "aten::native_group_norm.out";

  static const char* refusal(const Call& call) {
    for (std::size_t i = 0; i < 3; ++i) {
      const TensorView* t = call.optional_tensor(i);
      if (t != nullptr && !is_dense_float(*t)) return kNotDense;
      if (!is_dense_float(call.out(i))) return kNotDense;
    }
    return call.tensor(0).numel() == 0 ? "wants elements" : nullptr;
  }
  static Status run(const Call& call, Isa cap) {
    const std::int64_t channels = call.integer(4), positions = call.integer(5), groups = call.integer(6);
    const std::int64_t in_group = channels / groups;
    const auto count = static_cast<std::size_t>(in_group * positions);
    const auto normalize = kernels::vector_kernels(cap).layer_norm_row;
    const Planes planes(cap);
    const bool has_lines = call.has(1) || call.has(2);
    for (std::int64_t g = 0; g < call.integer(3) * groups; ++g) {
      float* out = call.out().data_as<float>() + g * in_group * positions;
      normalize(call.tensor(0).data_as<const float>() + g * in_group * positions, nullptr, nullptr, out, count,
                static_cast<float>(call.number(7)), call.out(1).data_as<float>() + g, call.out(2).data_as<float>() + g);
      for (std::int64_t c = 0; has_lines && c < in_group; ++c) {
        const std::int64_t channel = g % groups * in_group + c;
        const Line line{element_or(call.optional_tensor(1), channel, 1), element_or(call.optional_tensor(2), channel, 0)};
        planes.apply(line, out + c * positions, out + c * positions, positions);
      }
    }
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label("rlayernorm", cap); }
};

constexpr NativeOperator kRows[] = {native_operator<BatchNorm>(), native_operator<GroupNorm>()};

}  // namespace

extern constinit const NativeFamily kNormalizationOperators{kRows};

}  // namespace etalon::native

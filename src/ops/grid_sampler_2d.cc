// grid_sampler_2d: reads an image at the places that `grid` names, in [-1, 1] across the image.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/planes.h"

namespace etalon::ops {

namespace {

enum class Mode { kBilinear = 0, kNearest = 1, kBicubic = 2 };
enum class Padding { kZeros = 0, kBorder = 1, kReflection = 2 };

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  const TensorView& grid = call.tensor(1);
  const bool fits = input.rank() == 4 && grid.rank() == 4 && grid.size(3) == 2 && grid.size(0) == input.size(0);
  if (!fits) {
    return invalid_input(fmt::format("input {} and grid {}, want [n, c, h, w] and [n, h, w, 2]",
                                     to_string(input.sizes()), to_string(grid.sizes())));
  }
  ETALON_CHECKED(check_image(input));
  if (!is_floating(input.dtype()) || grid.dtype() != input.dtype()) {
    return invalid_input("input and grid must have the same floating dtype");
  }
  for (const std::size_t i : {2u, 3u}) {
    if (call.integer(i) < 0 || call.integer(i) > 2) {
      return invalid_input(fmt::format("mode {} is {}, want 0, 1 or 2", i == 2 ? "interpolation" : "padding", call.integer(i)));
    }
  }
  return outs.set(0, input.dtype(), Dims{input.size(0), input.size(1), grid.size(1), grid.size(2)});
}

template <class T>
T clamp_to(T at, std::int64_t size) {
  // In this order NaN becomes the border, and never an index.
  return std::min(static_cast<T>(size - 1), std::max(at, T{0}));
}

// Folds `at` into [low, high] as mirrors at both ends would.
template <class T>
T reflect(T at, T low, T high) {
  if (high <= low) return T{0};
  const T span = high - low;
  const T distance = std::abs(at - low);
  const T rest = std::fmod(distance, span);
  const bool turned = std::fmod(std::floor(distance / span), T{2}) != T{0};
  return turned ? span - rest + low : rest + low;
}

template <class T>
class Axis {
 public:
  Axis(std::int64_t size, Padding padding, bool align_corners)
      : size_(size), padding_(padding), align_corners_(align_corners) {}

  // From [-1, 1] to pixels.
  T pixel(T place) const {
    const auto size = static_cast<T>(size_);
    return align_corners_ ? (place + T{1}) / T{2} * (size - T{1}) : ((place + T{1}) * size - T{1}) / T{2};
  }

  T padded(T at) const {
    switch (padding_) {
      case Padding::kZeros: return at;
      case Padding::kBorder: return clamp_to(at, size_);
      case Padding::kReflection: break;
    }
    const auto size = static_cast<T>(size_);
    const T folded = align_corners_ ? reflect(at, T{0}, size - T{1}) : reflect(at, T(-0.5), size - T(0.5));
    return clamp_to(folded, size_);
  }

  // The pixel at a whole-numbered place, or -1 outside.
  std::int64_t index(T at) const { return at >= T{0} && at < static_cast<T>(size_) ? static_cast<std::int64_t>(at) : -1; }

 private:
  std::int64_t size_;
  Padding padding_;
  bool align_corners_;
};

// Weights for `count` pixels in each dim; an index of -1 reads as zero.
template <class T>
struct Taps {
  std::size_t count;
  std::array<std::int64_t, 4> index;
  std::array<T, 4> weight;
};

template <class T>
Taps<T> linear_taps(const Axis<T>& axis, T place) {
  const T at = axis.padded(axis.pixel(place));
  const T low = std::floor(at);
  const T share = at - low;
  return {2, {axis.index(low), axis.index(low + T{1})}, {T{1} - share, share}};
}

template <class T>
Taps<T> nearest_taps(const Axis<T>& axis, T place) {
  return {1, {axis.index(std::nearbyint(axis.padded(axis.pixel(place))))}, {T{1}}};
}

// Keys' cubic with a = -0.75; the padding applies to each of the four pixels.
template <class T>
Taps<T> cubic_taps(const Axis<T>& axis, T place) {
  constexpr T a = T(-0.75);
  const T at = axis.pixel(place);
  const T low = std::floor(at);
  const T t = at - low;
  const auto inner = [](T x) { return ((a + T{2}) * x - (a + T{3})) * x * x + T{1}; };
  const auto outer = [](T x) { return ((a * x - T{5} * a) * x + T{8} * a) * x - T{4} * a; };
  Taps<T> taps{4, {}, {outer(t + T{1}), inner(t), inner(T{1} - t), outer(T{2} - t)}};
  for (std::size_t i = 0; i < 4; ++i) taps.index[i] = axis.index(axis.padded(low + static_cast<T>(i) - T{1}));
  return taps;
}

template <class T>
Taps<T> taps_at(Mode mode, const Axis<T>& axis, T place) {
  switch (mode) {
    case Mode::kNearest: return nearest_taps(axis, place);
    case Mode::kBicubic: return cubic_taps(axis, place);
    case Mode::kBilinear: break;
  }
  return linear_taps(axis, place);
}

template <class T, class Math>
Math sample(const T* plane, const Planes& in, const Taps<Math>& ys, const Taps<Math>& xs) {
  Math sum{};
  for (std::size_t i = 0; i < ys.count; ++i) {
    for (std::size_t j = 0; j < xs.count; ++j) {
      if (ys.index[i] < 0 || xs.index[j] < 0) continue;
      sum += static_cast<Math>(plane[in.pixel(ys.index[i], xs.index[j])]) * (ys.weight[i] * xs.weight[j]);
    }
  }
  return sum;
}

template <class T>
Status run(const Call& call) {
  using Math = MathTypeOf<T>;
  const TensorView& grid = call.tensor(1);
  const Planes in(call.tensor(0)), out(call.out());
  const auto mode = static_cast<Mode>(call.integer(2));
  const auto padding = static_cast<Padding>(call.integer(3));
  const Axis<Math> x_axis(in.width, padding, call.flag(4)), y_axis(in.height, padding, call.flag(4));
  for (std::int64_t image = 0; image < out.batch; ++image) {
    for (std::int64_t y = 0; y < out.height; ++y) {
      for (std::int64_t x = 0; x < out.width; ++x) {
        const T* place = grid.data_as<T>() + image * grid.stride(0) + y * grid.stride(1) + x * grid.stride(2);
        const auto xs = taps_at(mode, x_axis, static_cast<Math>(place[0]));
        const auto ys = taps_at(mode, y_axis, static_cast<Math>(place[grid.stride(3)]));
        for (std::int64_t c = 0; c < in.channels; ++c) {
          const Math value = sample(call.tensor(0).data_as<T>() + in.at(image, c), in, ys, xs);
          call.out().data_as<T>()[out.at(image, c) + out.pixel(y, x)] = T(value);
        }
      }
    }
  }
  return {};
}

Status kernel(const Call& call) {
  return visit_floating(call.tensor(0).dtype(),
                        [&](auto tag) -> Status { return run<typename decltype(tag)::type>(call); });
}

std::int64_t flops(const Call& call) {
  const TensorView& grid = call.tensor(1);
  if (grid.rank() != 4 || call.tensor(0).rank() != 4) return 0;
  constexpr std::array<std::int64_t, 3> kPerValue{8, 0, 32};
  const auto mode = static_cast<std::size_t>(std::clamp<std::int64_t>(call.integer(2), 0, 2));
  return kPerValue[mode] * call.tensor(0).size(1) * grid.size(0) * grid.size(1) * grid.size(2);
}

constexpr OpDef kRows[] = {
    {.schema = "aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
               "align_corners) -> Tensor",
     .out_name = "aten::grid_sampler_2d.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .tolerance = {1e-4, 1e-4}},
};

}  // namespace

extern constinit const OpFamily kGridSampler2dOps{kRows};

}  // namespace etalon::ops

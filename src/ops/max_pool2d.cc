// max_pool2d_with_indices and its backward. An index is the place of the maximum in its input plane, row by row.
// The last NaN of a window wins, otherwise the first of equals.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "ops/extremum.h"
#include "ops/planes.h"

namespace etalon::ops {

namespace {

constexpr WindowArgs kForwardArgs{1, 2, 3, 4};
constexpr std::size_t kForwardCeil = 5;
constexpr WindowArgs kBackwardArgs{2, 3, 4, 5};
constexpr std::size_t kBackwardCeil = 6;
constexpr std::size_t kIndices = 7;

Status infer(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Windows windows, windows_of(call, kForwardArgs));
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const Dims sizes, pooled_sizes(input, windows, call.flag(kForwardCeil)));
  ETALON_CHECKED(outs.set(0, input.dtype(), sizes));
  return outs.set(1, DType::kInt64, sizes);
}

// Input positions of a window that lie inside the input: first, first + dilation, ... < end.
struct Span {
  std::int64_t first;
  std::int64_t end;
};

Span clipped(const Window& window, std::int64_t out, std::int64_t size) {
  std::int64_t first = window.start(out);
  const std::int64_t end = std::min(first + (window.kernel - 1) * window.dilation + 1, size);
  if (first < 0) first += (-first + window.dilation - 1) / window.dilation * window.dilation;
  return {first, end};
}

template <class T>
struct Maximum {
  ComparedAs<T> value;
  std::int64_t index;
};

// A dilated window may miss the input altogether; it then has the least value, and its corner as index.
template <class T>
Maximum<T> find_max(const T* plane, const Planes& in, const Windows& windows, const Span& ys, const Span& xs) {
  using Compared = ComparedAs<T>;
  Maximum<T> best{least_wanted<Compared, true>(), ys.first * in.width + xs.first};
  for (std::int64_t y = ys.first; y < ys.end; y += windows.y.dilation) {
    for (std::int64_t x = xs.first; x < xs.end; x += windows.x.dilation) {
      const auto value = static_cast<Compared>(plane[in.pixel(y, x)]);
      // Selections instead of a branch, which would be mispredicted on every other pixel.
      const bool wins = beats<true>(value, best.value);
      best.value = wins ? value : best.value;
      best.index = wins ? y * in.width + x : best.index;
    }
  }
  return best;
}

template <class T>
void pool(const Call& call, const Windows& windows) {
  const Planes in(call.tensor(0)), out(call.out(0)), out_indices(call.out(1));
  const T* input = call.tensor(0).data_as<T>();
  T* output = call.out(0).data_as<T>();
  auto* indices = call.out(1).data_as<std::int64_t>();
  for_each_plane(in, [&](std::int64_t image, std::int64_t channel) {
    const T* plane = input + in.at(image, channel);
    for (std::int64_t y = 0; y < out.height; ++y) {
      const Span ys = clipped(windows.y, y, in.height);
      for (std::int64_t x = 0; x < out.width; ++x) {
        const Maximum<T> best = find_max(plane, in, windows, ys, clipped(windows.x, x, in.width));
        output[out.at(image, channel) + out.pixel(y, x)] = T(best.value);
        indices[out_indices.at(image, channel) + out_indices.pixel(y, x)] = best.index;
      }
    }
  });
}

Status kernel(const Call& call) {
  ETALON_TRY(const Windows windows, windows_of(call, kForwardArgs));
  return visit_dtype(call.tensor(0).dtype(), [&](auto tag) -> Status {
    pool<typename decltype(tag)::type>(call, windows);
    return {};
  });
}

std::int64_t flops(const Call& call) {
  const auto windows = windows_of(call, kForwardArgs);
  if (!windows.ok()) return 0;
  const auto sizes = pooled_sizes(call.tensor(0), *windows, call.flag(kForwardCeil));
  return sizes.ok() ? numel(*sizes) * windows->y.kernel * windows->x.kernel : 0;
}

Status infer_backward(const Call& call, OutShapes& outs) {
  const TensorView& gradient = call.tensor(0);
  const TensorView& input = call.tensor(1);
  ETALON_TRY(const Windows windows, windows_of(call, kBackwardArgs));
  ETALON_TRY(const Dims sizes, pooled_sizes(input, windows, call.flag(kBackwardCeil)));
  if (gradient.sizes() != sizes || call.tensor(kIndices).sizes() != sizes) {
    return invalid_input(fmt::format("gradient {} and indices {}, want both {}", to_string(gradient.sizes()),
                                     to_string(call.tensor(kIndices).sizes()), to_string(sizes)));
  }
  if (gradient.dtype() != input.dtype() || call.tensor(kIndices).dtype() != DType::kInt64) {
    return invalid_input("gradient must have the input's dtype and indices int64");
  }
  return outs.set(0, input.dtype(), input.sizes());
}

template <class T>
Status spread(const Call& call) {
  const TensorView& result = call.out();
  std::memset(result.data(), 0, result.nbytes());
  const Planes gradient(call.tensor(0)), places(call.tensor(kIndices)), out(result);
  const T* from = call.tensor(0).data_as<T>();
  const auto* indices = call.tensor(kIndices).data_as<std::int64_t>();
  T* to = result.data_as<T>();
  Status status;
  for_each_plane(gradient, [&](std::int64_t image, std::int64_t channel) {
    for (std::int64_t y = 0; y < gradient.height; ++y) {
      for (std::int64_t x = 0; x < gradient.width; ++x) {
        const std::int64_t index = indices[places.at(image, channel) + places.pixel(y, x)];
        if (index < 0 || index >= out.height * out.width) {
          status = invalid_input(fmt::format("index {} is outside the plane of {}", index, out.height * out.width));
          continue;
        }
        T& sum = to[out.at(image, channel) + out.pixel(index / out.width, index % out.width)];
        using Math = MathTypeOf<T>;
        sum = T(static_cast<Math>(sum) + static_cast<Math>(from[gradient.at(image, channel) + gradient.pixel(y, x)]));
      }
    }
  });
  return status;
}

Status kernel_backward(const Call& call) {
  return visit_floating(call.tensor(0).dtype(),
                        [&](auto tag) -> Status { return spread<typename decltype(tag)::type>(call); });
}

std::int64_t flops_backward(const Call& call) { return call.tensor(0).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
               "int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
     .out_name = "aten::max_pool2d_with_indices.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops},
    {.schema = "aten::max_pool2d_with_indices_backward(Tensor grad_output, Tensor self, int[2] kernel_size, int[2] stride, "
               "int[2] padding, int[2] dilation, bool ceil_mode, Tensor indices) -> Tensor",
     .out_name = "aten::max_pool2d_with_indices_backward.grad_input",
     .infer = infer_backward,
     .kernel = kernel_backward,
     .flops = flops_backward},
};

}  // namespace

extern constinit const OpFamily kMaxPool2dOps{kRows};

}  // namespace etalon::ops

// avg_pool2d and _adaptive_avg_pool2d: means over windows.
#include <fmt/core.h>

#include <algorithm>

#include "ops/planes.h"

namespace etalon::ops {

namespace {

constexpr WindowArgs kArgs{1, 2, 3, -1};
constexpr std::size_t kCeilMode = 4;
constexpr std::size_t kCountIncludePad = 5;
constexpr std::size_t kDivisor = 6;

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const Windows windows, windows_of(call, kArgs));
  ETALON_TRY(const Dims sizes, pooled_sizes(input, windows, call.flag(kCeilMode)));
  if (call.has(kDivisor) && call.integer(kDivisor) == 0) return invalid_input("divisor_override is 0");
  if (!is_floating(input.dtype()) && input.dtype() != DType::kInt64) {
    return unsupported("dtype " + std::string(name_of(input.dtype())) + ", want a floating one or int64");
  }
  return outs.set(0, input.dtype(), sizes);
}

// Input positions [first, end) of one window in one dim, and how many positions it counts for.
struct Span {
  std::int64_t first;
  std::int64_t end;
  std::int64_t padded;  // with the padding, but not beyond it
};

Span average_span(const Window& window, std::int64_t out, std::int64_t size) {
  const std::int64_t start = window.start(out);
  const std::int64_t end = std::min(start + window.kernel, size + window.padding);
  return {std::max<std::int64_t>(start, 0), std::min(end, size), end - start};
}

Span adaptive_span(std::int64_t out, std::int64_t out_size, std::int64_t size) {
  const std::int64_t first = out * size / out_size;
  const std::int64_t end = ((out + 1) * size + out_size - 1) / out_size;
  return {first, end, end - first};
}

template <class T>
using PoolSum = std::conditional_t<std::is_same_v<T, double>, double,
                                   std::conditional_t<kIsFloating<T>, float, std::int64_t>>;

template <class T>
PoolSum<T> sum_window(const T* plane, const Planes& in, const Span& ys, const Span& xs) {
  PoolSum<T> sum{};
  for (std::int64_t y = ys.first; y < ys.end; ++y) {
    const T* row = plane + in.pixel(y, 0);
    for (std::int64_t x = xs.first; x < xs.end; ++x) sum += static_cast<PoolSum<T>>(row[x * in.column_stride]);
  }
  return sum;
}

// `y_span(y)` and `x_span(x)` give the windows, `divisor(ys, xs)` what their sums are divided by.
template <class T, class YSpan, class XSpan, class Divisor>
void pool(const TensorView& input, const TensorView& output, YSpan y_span, XSpan x_span, Divisor divisor) {
  const Planes in(input), out(output);
  for_each_plane(in, [&](std::int64_t image, std::int64_t channel) {
    const T* plane = input.data_as<T>() + in.at(image, channel);
    T* to = output.data_as<T>() + out.at(image, channel);
    for (std::int64_t y = 0; y < out.height; ++y) {
      const Span ys = y_span(y);
      for (std::int64_t x = 0; x < out.width; ++x) {
        const Span xs = x_span(x);
        const bool empty = ys.first >= ys.end || xs.first >= xs.end;
        const auto count = static_cast<PoolSum<T>>(empty ? 1 : divisor(ys, xs));
        to[out.pixel(y, x)] = empty ? T{} : T(sum_window(plane, in, ys, xs) / count);
      }
    }
  });
}

Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY(const Windows windows, windows_of(call, kArgs));
  const bool include_padding = !call.has(kCountIncludePad) || call.flag(kCountIncludePad);
  const auto fixed = call.optional_int(kDivisor);
  const Planes in(input);
  const auto y_span = [&](std::int64_t y) { return average_span(windows.y, y, in.height); };
  const auto x_span = [&](std::int64_t x) { return average_span(windows.x, x, in.width); };
  const auto divisor = [&](const Span& ys, const Span& xs) {
    if (fixed) return *fixed;
    return include_padding ? ys.padded * xs.padded : (ys.end - ys.first) * (xs.end - xs.first);
  };
  if (input.dtype() == DType::kInt64) {
    pool<std::int64_t>(input, call.out(), y_span, x_span, divisor);
    return {};
  }
  return visit_floating(input.dtype(), [&](auto tag) -> Status {
    pool<typename decltype(tag)::type>(input, call.out(), y_span, x_span, divisor);
    return {};
  });
}

std::int64_t flops(const Call& call) {
  const auto windows = windows_of(call, kArgs);
  if (!windows.ok()) return 0;
  const auto sizes = pooled_sizes(call.tensor(0), *windows, call.flag(kCeilMode));
  return sizes.ok() ? numel(*sizes) * (windows->y.kernel * windows->x.kernel + 1) : 0;
}

Status infer_adaptive(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_CHECKED(check_image(input));
  const auto size = call.ints(1);
  if (size.size() != 2 || size[0] < 0 || size[1] < 0) return invalid_input("output size must be two sizes");
  if (!is_floating(input.dtype())) {
    return unsupported("dtype " + std::string(name_of(input.dtype())) + ", want a floating one");
  }
  ETALON_TRY(const Dims sizes, make_dims(image_sizes(input, size[0], size[1]).span()));
  return outs.set(0, input.dtype(), sizes);
}

Status kernel_adaptive(const Call& call) {
  const TensorView& input = call.tensor(0);
  const Planes in(input), out(call.out());
  return visit_floating(input.dtype(), [&](auto tag) -> Status {
    pool<typename decltype(tag)::type>(
        input, call.out(), [&](std::int64_t y) { return adaptive_span(y, out.height, in.height); },
        [&](std::int64_t x) { return adaptive_span(x, out.width, in.width); },
        [](const Span& ys, const Span& xs) { return ys.padded * xs.padded; });
    return {};
  });
}

std::int64_t flops_adaptive(const Call& call) { return call.tensor(0).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool "
               "ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
     .out_name = "aten::avg_pool2d.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops},
    {.schema = "aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
     .out_name = "aten::_adaptive_avg_pool2d.out",
     .infer = infer_adaptive,
     .kernel = kernel_adaptive,
     .flops = flops_adaptive},
};

}  // namespace

extern constinit const OpFamily kAvgPool2dOps{kRows};

}  // namespace etalon::ops

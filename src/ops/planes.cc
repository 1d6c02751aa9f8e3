#include "ops/planes.h"

#include <fmt/core.h>

namespace etalon::ops {

namespace {

constexpr std::int64_t kLargestParameter = std::int64_t{1} << 31;

struct Pair {
  std::int64_t y;
  std::int64_t x;
};

Result<Pair> pair_of(const Call& call, std::size_t arg, std::string_view name, std::int64_t smallest, Pair fallback) {
  if (!call.has(arg) || call.ints(arg).empty()) return fallback;
  const auto values = call.ints(arg);
  if (values.size() > 2) return invalid_input(fmt::format("{} has {} numbers, want 1 or 2", name, values.size()));
  for (const std::int64_t value : values) {
    if (value < smallest || value > kLargestParameter) {
      return invalid_input(fmt::format("{} is {}, want at least {}", name, value, smallest));
    }
  }
  return Pair{values[0], values[values.size() - 1]};
}

Status check_padding(const Window& window) {
  // Else a window could lie in the padding alone.
  if (window.padding <= window.kernel / 2) return {};
  return invalid_input(fmt::format("padding {} is more than half of the kernel's {}", window.padding, window.kernel));
}

}  // namespace

Status check_image(const TensorView& image) {
  const std::size_t rank = image.rank();
  bool empty = false;
  for (std::size_t d = rank == 4 ? 1 : 0; d < rank; ++d) empty = empty || image.size(d) == 0;
  if ((rank == 3 || rank == 4) && !empty) return {};
  return invalid_input(fmt::format("input is {}, want [batch, channels, height, width] or [channels, height, width]",
                                   to_string(image.sizes())));
}

Dims image_sizes(const TensorView& image, std::int64_t height, std::int64_t width) {
  Dims sizes = image.sizes();
  sizes[sizes.size() - 2] = height;
  sizes[sizes.size() - 1] = width;
  return sizes;
}

std::int64_t Window::output_size(std::int64_t input, bool ceil_mode) const {
  const std::int64_t room = input + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
  if (room < 0) return 0;
  const std::int64_t count = room / stride + 1;
  return ceil_mode && (count - 1) * stride >= input + padding ? count - 1 : count;
}

Result<Windows> windows_of(const Call& call, const WindowArgs& args) {
  if (!call.has(args.kernel) || call.ints(args.kernel).empty()) return invalid_input("kernel size is empty");
  ETALON_TRY(const Pair kernel, pair_of(call, args.kernel, "kernel size", 1, Pair{1, 1}));
  ETALON_TRY(const Pair stride, pair_of(call, args.stride, "stride", 1, kernel));
  ETALON_TRY(const Pair padding, pair_of(call, args.padding, "padding", 0, Pair{0, 0}));
  Pair dilation{1, 1};
  if (args.dilation >= 0) {
    ETALON_TRY(dilation, pair_of(call, static_cast<std::size_t>(args.dilation), "dilation", 1, Pair{1, 1}));
  }
  const Windows windows{{kernel.y, stride.y, padding.y, dilation.y}, {kernel.x, stride.x, padding.x, dilation.x}};
  ETALON_CHECKED(check_padding(windows.y));
  ETALON_CHECKED(check_padding(windows.x));
  return windows;
}

Result<Dims> pooled_sizes(const TensorView& image, const Windows& windows, bool ceil_mode) {
  ETALON_CHECKED(check_image(image));
  const Planes planes(image);
  const std::int64_t height = windows.y.output_size(planes.height, ceil_mode);
  const std::int64_t width = windows.x.output_size(planes.width, ceil_mode);
  if (height < 1 || width < 1) {
    return invalid_input(fmt::format("kernel {}x{} does not fit the input {}", windows.y.kernel, windows.x.kernel,
                                     to_string(image.sizes())));
  }
  return image_sizes(image, height, width);
}

}  // namespace etalon::ops

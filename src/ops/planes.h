// Images as [batch, channel, height, width], for operators that also take them without the batch dim.
#pragma once

#include "ops/element.h"
#include "ops/op.h"

namespace etalon::ops {

struct Planes {
  std::int64_t batch, channels, height, width;
  std::int64_t batch_stride, channel_stride, row_stride, column_stride;

  // `view` has three or four dims.
  explicit Planes(const TensorView& view) {
    const std::size_t c = view.rank() - 3;
    batch = c == 0 ? 1 : view.size(0);
    batch_stride = c == 0 ? 0 : view.stride(0);
    channels = view.size(c);
    channel_stride = view.stride(c);
    height = view.size(c + 1);
    row_stride = view.stride(c + 1);
    width = view.size(c + 2);
    column_stride = view.stride(c + 2);
  }

  std::int64_t at(std::int64_t image, std::int64_t channel) const {
    return image * batch_stride + channel * channel_stride;
  }
  std::int64_t pixel(std::int64_t y, std::int64_t x) const { return y * row_stride + x * column_stride; }
};

// Calls `visit(image, channel)` for each plane.
template <class Visit>
void for_each_plane(const Planes& planes, Visit visit) {
  for (std::int64_t image = 0; image < planes.batch; ++image) {
    for (std::int64_t channel = 0; channel < planes.channels; ++channel) visit(image, channel);
  }
}

// Three or four dims, no empty plane. kInvalidInput otherwise.
Status check_image(const TensorView& image);

// The sizes of `image` with another height and width.
Dims image_sizes(const TensorView& image, std::int64_t height, std::int64_t width);

// A pooling window in one dim.
struct Window {
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t padding;
  std::int64_t dilation;

  std::int64_t start(std::int64_t out) const { return out * stride - padding; }
  // torch's rule: with ceil_mode the last window must start inside the input or its left padding.
  std::int64_t output_size(std::int64_t input, bool ceil_mode) const;
};

struct Windows {
  Window y;
  Window x;
};

// Positions of the list arguments; -1: not there. A single number stands for both dims, an empty stride for the kernel.
struct WindowArgs {
  std::size_t kernel;
  std::size_t stride;
  std::size_t padding;
  int dilation;
};
Result<Windows> windows_of(const Call& call, const WindowArgs& args);

// Reports the pooled sizes as output `index`.
Result<Dims> pooled_sizes(const TensorView& image, const Windows& windows, bool ceil_mode);

}  // namespace etalon::ops

#include "ops/image_patches.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/checked.h"

namespace etalon::ops {

namespace {

// Counts through (channel, tap) as k does, the last tap dim fastest.
struct KernelCursor {
  std::int64_t channel;
  Spatial tap;

  KernelCursor(std::int64_t k, const Spatial& kernel) : channel(k), tap{} {
    for (std::size_t d = kSpatial; d-- > 0;) {
      tap[d] = channel % kernel[d];
      channel /= kernel[d];
    }
  }
  void next(const Spatial& kernel) {
    for (std::size_t d = kSpatial; d-- > 0;) {
      if (++tap[d] < kernel[d]) return;
      tap[d] = 0;
    }
    ++channel;
  }
};

}  // namespace

bool is_pointwise(const ConvolutionGeometry& g) {
  for (std::size_t d = 0; d < kSpatial; ++d) {
    if (g.kernel[d] != 1 || g.stride[d] != 1 || g.padding[d] != 0) return false;
  }
  return g.in_size == g.out_size;
}

namespace {

// Where the lanes of one panel (neighbouring output positions) read the input under one tap of the kernel.
struct TapLanes {
  std::int64_t count = 0;  // lanes inside the input
  bool in_a_row = true;    // those are all lanes, and their elements are contiguous
  std::array<std::int64_t, kGemmColumns> lane;
  std::array<std::int64_t, kGemmColumns> offset;  // from the channel's first element
};

class PanelPositions {
 public:
  PanelPositions(std::int64_t first, std::int64_t lanes, const ConvolutionGeometry& geometry)
      : lanes_(lanes), geometry_(geometry) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      std::int64_t rest = first + lane;
      for (std::size_t d = kSpatial; d-- > 0;) {
        at_[static_cast<std::size_t>(lane)][d] = rest % geometry.out_size[d];
        rest /= geometry.out_size[d];
      }
    }
  }

  TapLanes under(const Spatial& tap, const Spatial& strides) const {
    TapLanes found;
    for (std::int64_t lane = 0; lane < lanes_; ++lane) {
      std::int64_t offset = 0;
      bool inside = true;
      for (std::size_t d = 0; d < kSpatial; ++d) {
        const std::int64_t source = geometry_.source(d, at_[static_cast<std::size_t>(lane)][d], tap[d]);
        inside = inside && source >= 0;
        offset += source * strides[d];
      }
      if (!inside) continue;
      const auto slot = static_cast<std::size_t>(found.count++);
      found.lane[slot] = lane;
      found.offset[slot] = offset;
      found.in_a_row = found.in_a_row && offset == found.offset[0] + lane;
    }
    found.in_a_row = found.in_a_row && found.count == kGemmColumns;
    return found;
  }

 private:
  std::int64_t lanes_;
  const ConvolutionGeometry& geometry_;
  std::array<Spatial, kGemmColumns> at_;
};

// One row of a panel for each channel: `from` steps by `channel_stride`, `to` by `row_step`.
template <std::int64_t kWidth, class T>
void pack_channels(const TapLanes& lanes, const T* from, std::int64_t channel_stride, std::int64_t channels, float* to,
                   std::int64_t row_step) {
  if (lanes.count < kWidth) {
    for (std::int64_t c = 0; c < channels; ++c) {
      std::fill_n(to + c * row_step, kWidth, 0.0f);
      for (std::size_t slot = 0; slot < static_cast<std::size_t>(lanes.count); ++slot) {
        to[c * row_step + lanes.lane[slot]] = convert_element<float>(from[c * channel_stride + lanes.offset[slot]]);
      }
    }
    return;
  }
  if constexpr (kWidth == kGemmColumns && std::is_same_v<T, float>) {
    if (lanes.in_a_row) {
      from += lanes.offset[0];
      for (std::int64_t c = 0; c < channels; ++c) {
        std::memcpy(to + c * row_step, from + c * channel_stride, sizeof(float) * kWidth);
      }
      return;
    }
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::size_t lane = 0; lane < kWidth; ++lane) {
      to[c * row_step + static_cast<std::int64_t>(lane)] =
          convert_element<float>(from[c * channel_stride + lanes.offset[lane]]);
    }
  }
}

}  // namespace

template <class T>
template <std::int64_t kWidth>
void ImagePatches<T>::pack_panel(const PackRange& range, std::int64_t first, std::int64_t lanes, float* to) const {
  const PanelPositions positions(first, lanes, geometry_);
  const std::int64_t taps = geometry_.taps();
  KernelCursor cursor(0, geometry_.kernel);
  for (std::int64_t tap = 0; tap < taps; ++tap, cursor.next(geometry_.kernel)) {
    // The channels whose k = channel * taps + tap lies in the range.
    const std::int64_t channel = tap >= range.k ? 0 : (range.k - tap + taps - 1) / taps;
    const std::int64_t row = channel * taps + tap - range.k;
    if (row >= range.depth) continue;
    const std::int64_t channels = (range.depth - row + taps - 1) / taps;
    pack_channels<kWidth>(positions.under(cursor.tap, strides_.spatial), image_ + channel * strides_.channel,
                          strides_.channel, channels, to + row * kWidth, taps * kWidth);
  }
}

template <class T>
void ImagePatches<T>::pack(const PackRange& range, std::int64_t width, float* panels) const {
  for (std::int64_t j = 0; j < range.count; j += width) {
    const std::int64_t lanes = std::min(width, range.count - j);
    float* to = panels + j * range.depth;
    if (width == kGemmColumns) pack_panel<kGemmColumns>(range, range.first + j, lanes, to);
    else pack_panel<kGemmRows>(range, range.first + j, lanes, to);
  }
}

template <class T>
KernelWeights<T>::KernelWeights(const TensorView& weight, const ConvolutionGeometry& geometry, std::int64_t group)
    : data_(weight.data_as<T>()), geometry_(geometry) {
  const ChannelStrides strides(weight);
  spatial_ = strides.spatial;
  // A transposed convolution's weight is [in channel, out channel per group, ...].
  out_stride_ = geometry.transposed ? strides.channel : strides.outer;
  in_stride_ = geometry.transposed ? strides.outer : strides.channel;
  data_ += group * (geometry.transposed ? geometry.in_channels * in_stride_ : geometry.out_channels * out_stride_);
  const bool even_taps = geometry.taps() == 1 || strides.position_stride(geometry.kernel) == 1;
  k_is_contiguous_ = even_taps && in_stride_ == geometry.taps();
}

template <class T>
void KernelWeights<T>::pack(const PackRange& range, std::int64_t width, float* panels) const {
  if (k_is_contiguous_) {
    StridedMatrix<T>(data_, 1, out_stride_).pack(range, width, panels);
    return;
  }
  KernelCursor cursor(range.k, geometry_.kernel);
  for (std::int64_t k = 0; k < range.depth; ++k) {
    std::int64_t offset = cursor.channel * in_stride_;
    for (std::size_t d = 0; d < kSpatial; ++d) offset += cursor.tap[d] * spatial_[d];
    for (std::int64_t j = 0; j < round_up(range.count, width); ++j) {
      float& to = panels[(j / width * range.depth + k) * width + j % width];
      to = j < range.count ? convert_element<float>(data_[(range.first + j) * out_stride_ + offset]) : 0.0f;
    }
    cursor.next(geometry_.kernel);
  }
}

template class ImagePatches<float>;
template class ImagePatches<Half>;
template class ImagePatches<BFloat16>;
template class KernelWeights<float>;
template class KernelWeights<Half>;
template class KernelWeights<BFloat16>;

}  // namespace etalon::ops

// The operands of a convolution as matrices for gemm_add(): k runs over (input channel, kernel tap).
#pragma once

#include "ops/convolution_geometry.h"
#include "ops/gemm.h"

namespace etalon::ops {

// True if every output position sees exactly the input position of the same number.
bool is_pointwise(const ConvolutionGeometry& geometry);

// Column p holds the input elements under the kernel at output position p, zeros outside the input.
template <class T>
class ImagePatches final : public MatrixSource {
 public:
  // `image` is the first element of one image and group. Borrows both.
  ImagePatches(const T* image, const ChannelStrides& strides, const ConvolutionGeometry& geometry)
      : image_(image), strides_(strides), geometry_(geometry) {}
  void pack(const PackRange& range, std::int64_t width, float* panels) const override;

 private:
  template <std::int64_t kWidth>
  void pack_panel(const PackRange& range, std::int64_t first, std::int64_t lanes, float* to) const;

  const T* image_;
  ChannelStrides strides_;
  const ConvolutionGeometry& geometry_;
};

// Row o holds the weights of output channel o of one group.
template <class T>
class KernelWeights final : public MatrixSource {
 public:
  KernelWeights(const TensorView& weight, const ConvolutionGeometry& geometry, std::int64_t group);
  void pack(const PackRange& range, std::int64_t width, float* panels) const override;

 private:
  const T* data_;
  std::int64_t out_stride_;
  std::int64_t in_stride_;
  Spatial spatial_;
  bool k_is_contiguous_;
  const ConvolutionGeometry& geometry_;
};

extern template class ImagePatches<float>;
extern template class ImagePatches<Half>;
extern template class ImagePatches<BFloat16>;
extern template class KernelWeights<float>;
extern template class KernelWeights<Half>;
extern template class KernelWeights<BFloat16>;

}  // namespace etalon::ops

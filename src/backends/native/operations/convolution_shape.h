// What convolutions of all data types share: the shape that kernels see, and the order of their filters.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "backends/native/graph.h"
#include "kernels/conv2d/conv2d.h"

namespace etalon::native {

// Pixel strides are left for the caller to fill in.
kernels::Conv2dShape shape_of(const ConvGeometry& conv, const Dims& in, const Dims& out);

// An image of NHWC dims lies in memory as dense NCHW.
bool is_planes(const Dims& dims, const Dims& strides);

// A filter in the order of conv2d.h. It is written into `storage` if the payload has another order; `data` otherwise.
template <class T>
const T* in_kernel_order(const ConvGeometry& conv, const T* data, const kernels::Conv2dShape& shape,
                         std::vector<T>& storage) {
  const auto out_c = static_cast<std::size_t>(shape.out_c);
  const auto per_out = static_cast<std::size_t>(shape.kernel_h * shape.kernel_w * (shape.in_c / shape.groups));
  const bool is_out_first = !conv.filter_is_hwo && !conv.filter_is_io;
  if (is_out_first != shape.is_depthwise()) return data;
  storage.resize(out_c * per_out);
  for (std::size_t o = 0; o < out_c; ++o) {
    for (std::size_t k = 0; k < per_out; ++k) {
      if (is_out_first) {
        storage[k * out_c + o] = data[o * per_out + k];
      } else {
        storage[o * per_out + k] = data[k * out_c + o];
      }
    }
  }
  return storage.data();
}

// What a packed filter depends on besides the numbers in it: never the size of the image.
std::string packing_key(const ConvGeometry& conv, const kernels::Conv2dShape& shape, std::string_view algorithm,
                        std::size_t packed_bytes);

// "a; b": reasons as one text.
std::string joined(const std::vector<std::string>& parts);

// Fewer multiplications than this are not worth a second thread.
inline constexpr std::int64_t kSharedMultiplyAdds = 150'000;

}  // namespace etalon::native

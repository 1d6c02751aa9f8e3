// What operators ask of their tensors before SIMD kernels may have them.
#pragma once

#include <string>

#include "backends/native/operators/operator.h"
#include "kernels/vector/vector.h"
#include "tensor/tensor.h"

namespace etalon::native {

inline bool is_float(const TensorView& t) { return t.dtype() == DType::kFloat32; }
inline bool is_dense_float(const TensorView& t) { return is_float(t) && t.is_contiguous(); }
// Element i of one lies where element i of the other does.
inline bool same_layout(const TensorView& a, const TensorView& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides();
}
inline std::size_t count_of(const TensorView& t) { return static_cast<std::size_t>(t.numel()); }

inline constexpr const char* kNotFloat = "wants float32 tensors";
inline constexpr const char* kNotDense = "wants row-major tensors";
inline constexpr const char* kOtherLayout = "wants input and output in the same dim order";

// Labels of what kernels/vector does.
inline KernelLabel vector_label(std::string_view kind, kernels::Isa cap) {
  const kernels::VectorKernels& k = kernels::vector_kernels(cap);
  return {"f32_" + std::string(kind) + "_ukernel__" + std::string(k.suffix), k.isa};
}

}  // namespace etalon::native

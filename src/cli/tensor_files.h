// Tensors in files: .npy both ways, raw bytes in (and out, for executor_runner's --output_file).
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/method.h"
#include "runtime/tensor.h"

namespace etalon::cli {

// What a method wants of a tensor input.
struct InputSpec {
  DType dtype = DType::kFloat32;
  Dims bound;              // the largest sizes
  DimOrder order;
  bool resizable = false;  // any sizes up to `bound`
};
InputSpec input_spec(const runtime::Method& method, std::size_t input);

// Reads `path`: .npy by its content, anything else as raw elements of the wanted dtype in the wanted dim order, whose
// size must then be exactly that of the bound. bfloat16 inputs may come as float32 .npy, because .npy has no bfloat16.
// Errors name the file: kNotFound, kIo, kInvalidInput, kUnsupported. The dtype and sizes of an .npy are not compared
// with `spec`; Method::set_input does that.
Result<runtime::Tensor> read_tensor(const std::string& path, const InputSpec& spec);

// Ones (true for bools) of the largest sizes.
Result<runtime::Tensor> ones(const InputSpec& spec);

// Writes a row-major .npy. `widened` tells that bfloat16 was written as float32.
Status write_npy(const std::string& path, const TensorView& tensor, bool& widened);
// The elements as they lie in memory.
Status write_raw(const std::string& path, const TensorView& tensor);

}  // namespace etalon::cli

#include "cli/tensor_files.h"

#include <fmt/core.h>

#include <cstring>

#include "base/file.h"
#include "formats/npy/npy.h"
#include "ops/strided.h"

namespace etalon::cli {

namespace npy = formats::npy;
using runtime::Tensor;

InputSpec input_spec(const runtime::Method& method, std::size_t input) {
  const TensorView& view = *method.input(input).as_tensor();
  return {view.dtype(), method.input_bound(input), view.order(), view.resizable()};
}

namespace {

DimOrder reversed_order(std::size_t rank) {
  DimOrder order;
  for (std::size_t i = rank; i-- > 0;) order.push_back(static_cast<std::uint8_t>(i));
  return order;
}

Result<Tensor> from_npy(Bytes file, const InputSpec& spec) {
  ETALON_TRY(const npy::Array array, npy::decode(file));
  const auto dtype = dtype_from_number(npy::dtype_of_descr(array.descr));
  if (!dtype) return unsupported("elements of type " + array.descr);
  ETALON_TRY(const Dims sizes, make_dims(array.shape));
  const DimOrder order = array.fortran_order ? reversed_order(sizes.size()) : contiguous_order(sizes.size());
  ETALON_TRY(Tensor tensor, Tensor::zeros(*dtype, sizes, order));
  if (array.data.size() != tensor.view().nbytes()) return invalid_input("it has another size than its shape asks for");
  if (!array.data.empty()) std::memcpy(tensor.view().data(), array.data.data(), array.data.size());
  if (spec.dtype != DType::kBFloat16 || *dtype != DType::kFloat32) return tensor;
  ETALON_TRY(Tensor narrow, Tensor::zeros(DType::kBFloat16, sizes));
  ops::copy_cast(tensor.view(), narrow.view());
  return narrow;
}

Result<Tensor> from_raw(Bytes file, const InputSpec& spec) {
  ETALON_TRY(Tensor tensor, Tensor::zeros(spec.dtype, spec.bound, spec.order));
  const std::size_t wanted = tensor.view().nbytes();
  if (file.size() != wanted) {
    return invalid_input(fmt::format("it has {} bytes, want {} ({} of {}), or an .npy file", file.size(), wanted,
                                     name_of(spec.dtype), to_string(spec.bound)));
  }
  if (wanted > 0) std::memcpy(tensor.view().data(), file.data(), wanted);
  return tensor;
}

}  // namespace

Result<Tensor> read_tensor(const std::string& path, const InputSpec& spec) {
  constexpr std::string_view kNpyMagic = "\x93NUMPY";
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  const bool is_npy = as_text(file.bytes()).starts_with(kNpyMagic) || path.ends_with(".npy");
  ETALON_TRY(Tensor tensor, is_npy ? from_npy(file.bytes(), spec) : from_raw(file.bytes(), spec), path);
  return tensor;
}

Result<Tensor> ones(const InputSpec& spec) {
  ETALON_TRY(Tensor tensor, Tensor::zeros(spec.dtype, spec.bound, spec.order));
  std::int64_t one = 1;
  const TensorView source(DType::kInt64, Dims{}, &one);
  ops::copy_cast(source, tensor.view());
  return tensor;
}

Status write_npy(const std::string& path, const TensorView& tensor, bool& widened) {
  widened = tensor.dtype() == DType::kBFloat16;
  const DType dtype = widened ? DType::kFloat32 : tensor.dtype();
  ETALON_TRY(Tensor plain, Tensor::zeros(dtype, tensor.sizes()));
  ops::copy_cast(tensor, plain.view());
  ETALON_TRY(const std::string descr, npy::descr_of_dtype(static_cast<std::int8_t>(dtype)), path);
  const std::vector<std::int64_t> shape(tensor.sizes().begin(), tensor.sizes().end());
  ETALON_TRY(const std::string header, npy::encode_header(descr, shape), path);
  ETALON_TRY(FileWriter file, FileWriter::create(path));
  ETALON_CHECKED(file.write(header));
  ETALON_CHECKED(file.write(Bytes(plain.bytes())));
  return file.commit();
}

Status write_raw(const std::string& path, const TensorView& tensor) {
  return write_file(path, Bytes(tensor.data_as<const std::byte>(), tensor.nbytes()));
}

}  // namespace etalon::cli

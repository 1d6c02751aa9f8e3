#include "formats/pte/pte.h"

#include "fmt/format.h"
#include "formats/scalar_type.h"

namespace etalon::formats::pte {
namespace {

Result<Bytes> cut(const Subsegments& from, std::uint32_t index, std::uint64_t size) {
  if (index >= from.offsets.size()) {
    return invalid_input(fmt::format("constant {} does not exist, there are {}", index, from.offsets.size()));
  }
  const auto part = slice(from.data, from.offsets[index], size);
  if (!part) {
    return invalid_input(fmt::format("constant {} of {} bytes at {} leaves its segment of {} bytes", index,
                                     size, from.offsets[index], from.data.size()));
  }
  return *part;
}

Result<Bytes> inline_constant(const Program& program, std::uint32_t index, std::uint64_t size) {
  if (index >= program.inline_constants.size()) {
    return invalid_input(
        fmt::format("constant {} does not exist, there are {}", index, program.inline_constants.size()));
  }
  const auto part = slice(program.inline_constants[index], 0, size);
  if (!part) {
    return invalid_input(fmt::format("constant {} holds {} bytes, want {}", index,
                                     program.inline_constants[index].size(), size));
  }
  return *part;
}

}  // namespace

const ExecutionPlan* Program::find_plan(std::string_view method) const {
  for (const ExecutionPlan& plan : plans) {
    if (plan.name == method) return &plan;
  }
  return nullptr;
}

const NamedData* Program::find_named(std::string_view key) const {
  for (const NamedData& entry : named_data) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::size_t dtype_size(std::int8_t dtype) { return scalar_type_size(dtype); }

std::optional<std::uint64_t> tensor_nbytes(const Tensor& tensor) {
  return dense_nbytes<std::int32_t>(tensor.dtype, tensor.sizes);
}

Result<Bytes> tensor_data(const Program& program, const Tensor& tensor) {
  const auto size = tensor_nbytes(tensor);
  if (!size) return unsupported(fmt::format("elements of type {} have no size in bytes", tensor.dtype));
  if (tensor.is_constant()) {
    if (!program.constants.offsets.empty()) return cut(program.constants, tensor.data_buffer_idx, *size);
    return inline_constant(program, tensor.data_buffer_idx, *size);
  }
  if (!tensor.is_initialised_state()) return invalid_input("the tensor has no data in the program");
  if (program.mutable_data.empty()) return invalid_input("the program has no mutable data segment");
  return cut(program.mutable_data.front(), tensor.data_buffer_idx, *size);
}

std::uint64_t Blob::size() const {
  std::uint64_t total = owned.size();
  for (const Bytes chunk : chunks) total += chunk.size();
  return total;
}

}  // namespace etalon::formats::pte

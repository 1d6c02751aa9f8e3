#include <array>

#include "base/checked.h"
#include "formats/xnn/xnn.h"

namespace etalon::formats::xnn {
namespace {

constexpr std::array<std::string_view, 15> kDataTypeNames = {
    "invalid", "fp32",   "fp16",   "qint8",  "quint8", "qint32", "qcint8", "qcint32",
    "qcint4",  "qdint8", "qbint4", "qpint8", "int32",  "pfp32",  "bf16"};

constexpr std::array<std::string_view, kNodeTypeCount + 1> kNodeTypeNames = {
    "none",
#define XNNGRAPH_NODE(type, fields) #type,
#include "formats/xnn/node_types.def"
#undef XNNGRAPH_NODE
};

#define XNNGRAPH_NODE(type, fields) NodeType::k##type,
constexpr std::array kListed = {
#include "formats/xnn/node_types.def"
};
#undef XNNGRAPH_NODE
constexpr bool listed_in_order() {
  for (std::size_t i = 0; i < kListed.size(); ++i) {
    if (static_cast<std::size_t>(kListed[i]) != i + 1) return false;
  }
  return true;
}
static_assert(listed_in_order(), "node_types.def and NodeType must have the same order");

}  // namespace

std::string_view name_of(DataType type) {
  const auto index = static_cast<std::size_t>(type);
  return index < kDataTypeNames.size() ? kDataTypeNames[index] : "unknown";
}

std::string_view name_of(NodeType type) {
  const auto index = static_cast<std::size_t>(type);
  return index < kNodeTypeNames.size() ? kNodeTypeNames[index] : "unknown";
}

std::size_t bits_of(DataType type) {
  switch (type) {
    case DataType::kInvalid:
      return 0;
    case DataType::kQcint4:
    case DataType::kQbint4:
      return 4;
    case DataType::kFp16:
    case DataType::kBf16:
      return 16;
    case DataType::kQint8:
    case DataType::kQuint8:
    case DataType::kQcint8:
    case DataType::kQdint8:
    case DataType::kQpint8:
      return 8;
    default:
      return 32;
  }
}

const Value* Graph::find(std::uint32_t id) const {
  // Writers number values by their place.
  if (id < values.size() && values[id].id == id) return &values[id];
  for (const Value& value : values) {
    if (value.id == id) return &value;
  }
  return nullptr;
}

std::optional<std::uint64_t> dense_nbytes(const Value& value) {
  std::uint64_t elements = 1;
  for (std::size_t i = 0; i < value.dims.size(); ++i) {
    std::uint64_t dim = value.dims[i];
    if (bits_of(value.type) == 4 && i + 1 == value.dims.size()) dim = (dim + 1) / 2;
    const auto product = checked_mul<std::uint64_t>(elements, dim);
    if (!product) return std::nullopt;
    elements = *product;
  }
  const std::uint64_t bytes_each = bits_of(value.type) == 4 ? 1 : bits_of(value.type) / 8;
  return checked_mul<std::uint64_t>(elements, bytes_each);
}

}  // namespace etalon::formats::xnn

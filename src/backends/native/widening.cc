#include "backends/native/widening.h"

#include <algorithm>
#include <unordered_map>

namespace etalon::native {

using formats::xnn::DataType;

bool can_widen(const formats::xnn::Graph& graph) {
  std::unordered_map<std::uint32_t, DataType> types;
  for (const auto& value : graph.values) types[value.id] = value.type;
  return std::all_of(graph.nodes.begin(), graph.nodes.end(), [&types](const formats::xnn::Node& node) {
    bool has_half = false, has_other = false;
    for (const auto* ids : {&node.inputs, &node.outputs}) {
      for (const std::uint32_t id : *ids) {
        const auto found = types.find(id);
        if (found == types.end()) continue;  // an input that is left out
        const DataType type = found->second;
        has_half |= type == DataType::kFp16;
        has_other |= type != DataType::kFp16 && type != DataType::kFp32 && type != DataType::kInt32;
      }
    }
    return !has_half || !has_other;
  });
}

Bytes WidenedConstants::widen(Bytes halves) {
  const std::size_t count = halves.size() / sizeof(std::uint16_t);
  auto& copy = copies_[{halves.data(), halves.size()}];
  if (copy == nullptr) {
    copy = std::make_unique_for_overwrite<float[]>(count);
    kernels_.half_to_float(reinterpret_cast<const std::uint16_t*>(halves.data()), copy.get(), count);
    bytes_ += count * sizeof(float);
  }
  return {reinterpret_cast<const std::byte*>(copy.get()), count * sizeof(float)};
}

void WidenedConstants::keep_only(const std::set<const std::byte*>& floats) {
  std::erase_if(copies_, [&](const auto& entry) {
    const auto& [place, copy] = entry;
    if (floats.contains(reinterpret_cast<const std::byte*>(copy.get()))) return false;
    bytes_ -= place.second / sizeof(std::uint16_t) * sizeof(float);
    return true;
  });
}

}  // namespace etalon::native

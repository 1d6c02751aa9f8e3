#include "backends/native/widening.h"

#include <algorithm>
#include <new>
#include <unordered_map>

#include "base/checked.h"

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

std::byte* WidenedConstants::room_for(std::size_t bytes) {
  constexpr std::size_t kFirst = std::size_t{256} << 10, kNext = std::size_t{8} << 20;
  const std::size_t rounded = round_up(bytes, kAlignment);
  if (chunks_.empty() || chunks_.back().memory.size() - chunks_.back().used < rounded) {
    auto memory = MemoryBlock::allocate(std::max(rounded, chunks_.empty() ? kFirst : kNext));
    if (!memory.ok()) throw std::bad_alloc();
    chunks_.push_back({std::move(*memory), 0});
  }
  Chunk& chunk = chunks_.back();
  chunk.used += rounded;
  return chunk.memory.data() + chunk.used - rounded;
}

Bytes WidenedConstants::widen(Bytes halves) {
  const std::size_t count = halves.size() / sizeof(std::uint16_t), bytes = count * sizeof(float);
  const auto [copy, is_new] = copies_.try_emplace({halves.data(), halves.size()});
  if (is_new) {
    copy->second = room_for(bytes);
    kernels_.half_to_float(reinterpret_cast<const std::uint16_t*>(halves.data()), reinterpret_cast<float*>(copy->second), count);
    bytes_ += bytes;
  }
  return {copy->second, bytes};
}

void WidenedConstants::keep_only(const std::set<const std::byte*>& floats) {
  std::map<const std::byte*, std::size_t> kept;
  std::erase_if(copies_, [&](const auto& entry) {
    const std::size_t bytes = entry.first.second / sizeof(std::uint16_t) * sizeof(float);
    if (floats.contains(entry.second)) {
      kept[entry.second] = bytes;
      return false;
    }
    bytes_ -= bytes;
    return true;
  });
  if (kept.empty()) return chunks_.clear();
  for (Chunk& chunk : chunks_) {
    std::byte* const data = chunk.memory.data();
    std::size_t end = 0;  // of the last one that is kept
    for (auto at = kept.lower_bound(data); at != kept.end() && at->first < data + chunk.used; ++at) {
      const auto begin = static_cast<std::size_t>(at->first - data);
      chunk.memory.forget(end, begin);
      end = begin + at->second;
    }
    chunk.memory.forget(end, chunk.used);
  }
}

}  // namespace etalon::native

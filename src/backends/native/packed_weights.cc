#include "backends/native/packed_weights.h"

#include "base/checked.h"

namespace etalon::native {

std::uint32_t PackedWeights::request(std::string key, std::size_t bytes, std::function<void(std::byte*)> pack) {
  const auto [found, is_new] = ids_.try_emplace(std::move(key), static_cast<std::uint32_t>(entries_.size()));
  if (is_new) entries_.push_back({bytes, nullptr, std::move(pack)});
  return found->second;
}

Status PackedWeights::commit() {
  std::size_t total = 0;
  for (const Entry& entry : entries_) {
    if (entry.data == nullptr) total += round_up(entry.bytes, kAlignment);
  }
  if (total == 0) return {};
  ETALON_TRY(MemoryBlock block, MemoryBlock::allocate(total), "packed weights");
  std::byte* next = block.data();
  for (Entry& entry : entries_) {
    if (entry.data != nullptr) continue;
    entry.data = next;
    entry.pack(next);
    entry.pack = nullptr;
    next += round_up(entry.bytes, kAlignment);
  }
  bytes_ += total;
  blocks_.push_back(std::move(block));
  return {};
}

}  // namespace etalon::native

#include "backends/native/packed_weights.h"

#include "base/checked.h"

namespace etalon::native {

std::uint32_t PackedWeights::request(std::string key, std::size_t bytes,
                                     std::function<void(std::byte*)> pack) {
  const auto [found, is_new] = ids_.try_emplace(std::move(key), static_cast<std::uint32_t>(entries_.size()));
  if (is_new) entries_.push_back({bytes, nullptr, std::move(pack)});
  return found->second;
}

void PackedWeights::take_from_cache() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto found = cache_->find(prefix_ + std::to_string(i), entries_[i].bytes);
    if (!found) continue;
    entries_[i].data = found->data();
    entries_[i].pack = nullptr;
    bytes_ += round_up(entries_[i].bytes, kAlignment);
  }
}

void PackedWeights::give_to_sink() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    sink_->push_back({prefix_ + std::to_string(i), Bytes(entries_[i].data, entries_[i].bytes)});
  }
}

Status PackedWeights::commit() {
  const bool is_first = !is_committed_;
  is_committed_ = true;
  if (is_first && cache_ != nullptr) take_from_cache();
  ETALON_CHECKED(pack_missing());
  if (is_first && sink_ != nullptr) give_to_sink();
  return {};
}

Status PackedWeights::pack_missing() {
  std::size_t total = 0;
  for (const Entry& entry : entries_) {
    if (entry.data == nullptr) total += round_up(entry.bytes, kAlignment);
  }
  if (total == 0) return {};
  ETALON_TRY(MemoryBlock block, MemoryBlock::allocate(total), "packed weights");
  std::byte* next = block.data();
  for (Entry& entry : entries_) {
    if (entry.data != nullptr) continue;
    entry.pack(next);
    entry.data = next;
    entry.pack = nullptr;
    next += round_up(entry.bytes, kAlignment);
  }
  bytes_ += total;
  blocks_.push_back(std::move(block));
  return {};
}

}  // namespace etalon::native

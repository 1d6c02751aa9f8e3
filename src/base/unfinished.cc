#include "base/unfinished.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>

namespace etalon {
namespace {

enum class State : int { kFree, kClaimed, kHeld };

struct Slot {
  std::atomic<State> state{State::kFree};
  std::array<char, 4096> path{};
};
static_assert(std::atomic<State>::is_always_lock_free, "a signal handler reads it");

std::array<Slot, 16>& slots() {
  static constinit std::array<Slot, 16> all{};
  return all;
}

}  // namespace

UnfinishedFile::UnfinishedFile(const std::string& path) : slot_(-1) {
  if (path.size() >= sizeof(Slot::path)) return;
  for (std::size_t i = 0; i < slots().size(); ++i) {
    Slot& slot = slots()[i];
    State expected = State::kFree;
    if (!slot.state.compare_exchange_strong(expected, State::kClaimed)) continue;
    std::memcpy(slot.path.data(), path.c_str(), path.size() + 1);
    slot.state = State::kHeld;
    slot_ = static_cast<int>(i);
    return;
  }
}

UnfinishedFile::~UnfinishedFile() {
  if (slot_ >= 0) slots()[static_cast<std::size_t>(slot_)].state = State::kFree;
}

void remove_unfinished_files() noexcept {
  for (const Slot& slot : slots()) {
    if (slot.state == State::kHeld) ::unlink(slot.path.data());
  }
}

}  // namespace etalon

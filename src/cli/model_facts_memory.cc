#include "cli/model_facts_memory.h"

#include <algorithm>
#include <map>

namespace etalon::cli {
namespace {

namespace pte = formats::pte;

struct Life {
  std::int64_t first = -1, last = -1;  // instructions; -1: never used
  void touch(std::int64_t at) {
    first = first < 0 ? at : std::min(first, at);
    last = std::max(last, at);
  }
};

// Bytes of a line that at least one interval covers, while intervals come and go: a segment tree over their ends.
class CoveredBytes {
 public:
  explicit CoveredBytes(std::vector<std::uint64_t> ends) : ends_(std::move(ends)) {
    std::sort(ends_.begin(), ends_.end());
    ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end());
    nodes_.resize(4 * std::max<std::size_t>(ends_.size(), 1));
  }

  // `count` is 1 or -1; an interval leaves exactly as it came. Both ends are among those given.
  void change(std::uint64_t begin, std::uint64_t end, int count) {
    if (begin < end) change(1, 0, ends_.size() - 1, place_of(begin), place_of(end), count);
  }
  std::uint64_t bytes() const { return nodes_[1].covered; }

 private:
  struct Node {
    int count = 0;
    std::uint64_t covered = 0;
  };

  std::size_t place_of(std::uint64_t end) const {
    return static_cast<std::size_t>(std::lower_bound(ends_.begin(), ends_.end(), end) - ends_.begin());
  }

  // The node stands for the bytes from ends_[low] to ends_[high].
  void change(std::size_t node, std::size_t low, std::size_t high, std::size_t begin, std::size_t end, int count) {
    if (end <= low || high <= begin) return;
    if (begin <= low && high <= end) {
      nodes_[node].count += count;
    } else {
      const std::size_t middle = (low + high) / 2;
      change(2 * node, low, middle, begin, end, count);
      change(2 * node + 1, middle, high, begin, end, count);
    }
    if (nodes_[node].count > 0) {
      nodes_[node].covered = ends_[high] - ends_[low];
    } else {
      const bool is_leaf = high - low == 1;
      nodes_[node].covered = is_leaf ? 0 : nodes_[2 * node].covered + nodes_[2 * node + 1].covered;
    }
  }

  std::vector<std::uint64_t> ends_;
  std::vector<Node> nodes_;
};

std::vector<Life> lives_of(const pte::ExecutionPlan& plan, const std::vector<ValueUse>& uses) {
  std::vector<Life> lives(plan.values.size());
  std::vector<std::int32_t> base(plan.values.size(), -1);  // of views; views of views name the first
  const auto end = static_cast<std::int64_t>(uses.size()) - 1;
  const auto touch = [&](std::int32_t value, std::int64_t at) {
    const auto place = static_cast<std::size_t>(value);
    lives[place].touch(at);
    if (base[place] >= 0) lives[static_cast<std::size_t>(base[place])].touch(at);
  };
  for (const std::int32_t input : plan.inputs) touch(input, 0);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const ValueUse& use = uses[i];
    if (use.view >= 0 && use.view != use.viewed) {
      const std::int32_t deeper = base[static_cast<std::size_t>(use.viewed)];
      base[static_cast<std::size_t>(use.view)] = deeper >= 0 ? deeper : use.viewed;
    }
    for (const std::int32_t value : use.values) touch(value, static_cast<std::int64_t>(i));
  }
  for (const std::int32_t output : plan.outputs) touch(output, end);
  for (std::size_t v = 0; v < plan.values.size(); ++v) {
    const auto* tensor = std::get_if<pte::Tensor>(&plan.values[v]);
    if (tensor != nullptr && tensor->is_initialised_state()) lives[v] = {0, end};
  }
  return lives;
}

void keep_through_loops(const pte::ExecutionPlan& plan, std::vector<Life>& lives) {
  const auto& instructions = plan.chains.front().instructions;
  std::size_t loops = 0;
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    const auto* jump = std::get_if<pte::JumpFalseCall>(&instructions[i]);
    if (jump == nullptr || static_cast<std::size_t>(jump->destination) > i) continue;
    if (++loops > 1000) return;  // no program has so many; only time would pass
    for (Life& life : lives) {
      const auto from = static_cast<std::int64_t>(jump->destination), to = static_cast<std::int64_t>(i);
      if (life.first < from && life.last >= from && life.last < to) life.last = to;
    }
  }
}

struct Change {
  std::int64_t at = 0;
  int count = 0;
  std::uint64_t begin = 0, end = 0;
};

// Adds one buffer's bytes to every instruction.
void add_buffer(std::vector<Change> changes, std::vector<analysis::InstructionMemory>& memory) {
  std::vector<std::uint64_t> ends;
  for (const Change& change : changes) ends.insert(ends.end(), {change.begin, change.end});
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.at < b.at; });
  CoveredBytes covered(std::move(ends));
  std::size_t next = 0;
  for (std::size_t i = 0; i < memory.size(); ++i) {
    for (; next < changes.size() && changes[next].at <= static_cast<std::int64_t>(i); ++next) {
      covered.change(changes[next].begin, changes[next].end, changes[next].count);
    }
    memory[i].live_bytes += static_cast<double>(covered.bytes());
  }
}

}  // namespace

std::vector<analysis::InstructionMemory> live_memory(const pte::ExecutionPlan& plan, const std::vector<ValueUse>& uses) {
  std::vector<analysis::InstructionMemory> memory(uses.size());
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i].instruction = static_cast<std::int64_t>(i);
  if (uses.empty()) return memory;
  std::vector<Life> lives = lives_of(plan, uses);
  keep_through_loops(plan, lives);
  std::map<std::uint32_t, std::vector<Change>> buffers;
  for (std::size_t v = 0; v < plan.values.size(); ++v) {
    const auto* tensor = std::get_if<pte::Tensor>(&plan.values[v]);
    if (tensor == nullptr || !tensor->allocation || lives[v].first < 0) continue;
    const std::uint64_t begin = tensor->allocation->offset;
    const std::uint64_t end = begin + pte::tensor_nbytes(*tensor).value_or(0);
    auto& changes = buffers[tensor->allocation->memory_id];
    changes.push_back({lives[v].first, 1, begin, end});
    changes.push_back({lives[v].last + 1, -1, begin, end});
  }
  for (auto& [id, changes] : buffers) add_buffer(std::move(changes), memory);
  return memory;
}

}  // namespace etalon::cli

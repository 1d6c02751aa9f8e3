#include "analysis/kernel_evidence.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "analysis/json_reading.h"
#include "analysis/profile.h"

namespace etalon::analysis {
namespace {

using nlohmann::json;

// One record of RFC 4180; `text` moves past it.
std::vector<std::string> take_record(std::string_view& text) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') cells.back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"') cells.back() += text[i++];
      else quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return cells;
}

class Columns {
 public:
  explicit Columns(const std::vector<std::string>& header) {
    for (std::size_t i = 0; i < header.size(); ++i) index_[header[i]] = i;
  }
  std::string text(const std::vector<std::string>& record, const char* name) const {
    const auto found = index_.find(name);
    return found == index_.end() || found->second >= record.size() ? std::string() : record[found->second];
  }
  template <class Int>
  Int number(const std::vector<std::string>& record, const char* name, Int otherwise) const {
    const std::string cell = text(record, name);
    Int value = otherwise;
    const auto parsed = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    return parsed.ec == std::errc() && parsed.ptr == cell.data() + cell.size() ? value : otherwise;
  }

 private:
  std::map<std::string, std::size_t, std::less<>> index_;
};

using Key = std::pair<std::int64_t, std::string>;

// Reasons differ in numbers ("K is 27"); what people want to see first is how much time each kind takes.
void summarize_isas(Profile& profile) {
  profile.isas.clear();
  for (const OperatorRow& row : profile.operators) {
    if (row.isa.empty()) continue;
    auto place = std::find_if(profile.isas.begin(), profile.isas.end(), [&](const IsaRow& known) {
      return known.isa == row.isa && known.wanted_isa == row.wanted_isa && known.reason == row.isa_reason;
    });
    if (place == profile.isas.end()) {
      place = profile.isas.insert(place, {row.isa, row.wanted_isa, row.isa_reason, 0, 0});
    }
    ++place->operators;
    place->ms += row.avg_ms;
  }
  std::stable_sort(profile.isas.begin(), profile.isas.end(), [](const IsaRow& a, const IsaRow& b) { return a.ms > b.ms; });
}

std::optional<std::vector<std::size_t>> nodes_member(const json& root) {
  const auto found = root.find("nodes");
  if (found == root.end() || !found->is_array()) return std::nullopt;
  std::vector<std::size_t> nodes;
  for (const json& node : *found) {
    if (!node.is_number_unsigned()) return std::nullopt;
    nodes.push_back(node.get<std::size_t>());
  }
  return nodes;
}

Key key_of(const OperatorRow& row) { return {row.instruction, row.delegated ? row.name : std::string()}; }

}  // namespace

std::vector<KernelUse> read_kernels_csv(std::string_view text) {
  const Columns columns(take_record(text));
  std::vector<KernelUse> kernels;
  while (!text.empty()) {
    const std::vector<std::string> record = take_record(text);
    KernelUse use;
    use.operation = columns.text(record, "operation");
    if (use.operation.empty()) continue;
    use.kernel = columns.text(record, "kernel_name");
    use.instruction = columns.number<std::int64_t>(record, "instruction", -1);
    use.isa = columns.text(record, "isa");
    use.wanted_isa = columns.text(record, "isa_wanted");
    use.reason = columns.text(record, "reason");
    use.tile = columns.text(record, "tile");
    use.shape = columns.text(record, "shape");
    use.threads = columns.number<std::uint32_t>(record, "threads", 1);
    kernels.push_back(std::move(use));
  }
  return kernels;
}

bool read_kernel_metadata(std::string_view metadata, KernelUse& use) {
  if (!metadata.starts_with("{\"kernel\"")) return false;
  const json root = json::parse(metadata.begin(), metadata.end(), nullptr, false);
  if (!root.is_object()) return false;
  use.kernel = text_member(root, "kernel");
  use.isa = text_member(root, "isa");
  use.wanted_isa = text_member(root, "isa_wanted");
  use.reason = text_member(root, "reason");
  use.tile = text_member(root, "tile");
  use.shape = text_member(root, "shape");
  const auto threads = count_member(root, "threads");
  use.threads = threads && *threads <= 4096 ? static_cast<std::uint32_t>(*threads) : 1;
  use.nodes = nodes_member(root);
  return true;
}

void attach_kernels(const std::vector<KernelUse>& kernels, Profile& profile) {
  std::map<Key, const KernelUse*> known;
  for (const KernelUse& use : kernels) {
    known.try_emplace({use.instruction, use.operation}, &use);
    // An operator call is the only work of its instruction.
    if (use.operation.find("::") != std::string::npos) known.try_emplace({use.instruction, std::string()}, &use);
  }
  for (OperatorRow& row : profile.operators) {
    const auto found = known.find(key_of(row));
    if (found == known.end()) continue;
    const KernelUse& use = *found->second;
    row.kernel_hint = use.kernel;
    row.isa = use.isa;
    row.wanted_isa = use.wanted_isa;
    row.isa_reason = use.reason;
    row.tile = use.tile;
    row.kernel_threads = use.threads;
    if (row.shape.empty()) row.shape = use.shape;
    if (use.nodes) row.payload_nodes = use.nodes;
  }
  summarize_isas(profile);
}

KernelComparison compare_kernels(const Profile& baseline, const Profile& candidate) {
  std::map<Key, const OperatorRow*> before;
  for (const OperatorRow& row : baseline.operators) {
    if (!row.isa.empty()) before.emplace(key_of(row), &row);
  }
  KernelComparison out;
  std::map<std::pair<std::string, std::string>, KernelChange> changes;
  for (const OperatorRow& row : candidate.operators) {
    if (row.isa.empty()) continue;
    const auto found = before.find(key_of(row));
    if (found == before.end()) {
      ++out.only_in_one;
      continue;
    }
    const OperatorRow& old = *found->second;
    ++out.compared;
    before.erase(found);
    if (old.kernel_hint == row.kernel_hint && old.isa == row.isa) continue;
    ++out.changed;
    KernelChange& change = changes[{old.kernel_hint, row.kernel_hint}];
    std::tie(change.baseline_kernel, change.candidate_kernel) = std::tie(old.kernel_hint, row.kernel_hint);
    std::tie(change.baseline_isa, change.candidate_isa) = std::tie(old.isa, row.isa);
    change.operators.push_back(row.name);
    change.baseline_ms += old.avg_ms;
    change.candidate_ms += row.avg_ms;
  }
  out.only_in_one += before.size();
  for (auto& [names, change] : changes) out.changes.push_back(std::move(change));
  std::stable_sort(out.changes.begin(), out.changes.end(), [](const KernelChange& a, const KernelChange& b) {
    return std::abs(a.candidate_ms - a.baseline_ms) > std::abs(b.candidate_ms - b.baseline_ms);
  });
  return out;
}

}  // namespace etalon::analysis

#include "analysis/node_matching.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "analysis/event_alignment.h"
#include "analysis/taxonomy.h"

namespace etalon::analysis {
namespace {

// Places in ModelFacts::nodes and ::runtime_operators that belong to one instruction.
struct Instruction {
  std::vector<std::size_t> nodes;
  std::vector<const RuntimeOperator*> operators;
};
using Instructions = std::map<std::int64_t, Instruction>;

Instructions by_instruction(const ModelFacts& facts) {
  Instructions out;
  for (std::size_t i = 0; i < facts.nodes.size(); ++i) out[facts.nodes[i].instruction].nodes.push_back(i);
  for (const RuntimeOperator& op : facts.runtime_operators) out[op.instruction].operators.push_back(&op);
  return out;
}

bool is_call(const OperatorRow& row) { return row.name == "OPERATOR_CALL" || row.name == "DELEGATE_CALL"; }

// What the recording and the program disagree about; empty: nothing.
std::string misfit(const OperatorRow& row, const Instructions& instructions, const ModelFacts& facts) {
  if (row.instruction < 0) return {};
  const auto found = instructions.find(row.instruction);
  if (found == instructions.end() || found->second.nodes.empty()) {
    return fmt::format("the recording has '{}' at instruction {}, the program has nothing there", row.name, row.instruction);
  }
  const NodeFacts& node = facts.nodes[found->second.nodes.front()];
  const bool calls_delegate = node.node >= 0;
  const bool same_name = is_call(row) || operator_base_name(row.name) == operator_base_name(node.op);
  if (calls_delegate == row.delegated && (row.delegated || same_name)) return {};
  return fmt::format("the recording has '{}' at instruction {}, the program has '{}'", row.name, row.instruction,
                     calls_delegate ? node.backend : node.op);
}

// Bytes that a group of nodes moves, without the values that only pass from one of its nodes to the next.
double bytes_of(const std::vector<std::size_t>& nodes, const ModelFacts& facts, const std::map<std::int64_t, std::size_t>& readers) {
  std::map<std::int64_t, double> written;      // bytes of each value made here
  std::map<std::int64_t, std::size_t> read;    // how often it is read here
  double bytes = 0;
  for (const std::size_t n : nodes) {
    const NodeFacts& node = facts.nodes[n];
    bytes += node.read_bytes + node.written_bytes + node.weight_bytes;
    for (const std::int64_t value : node.writes) written[value] = node.written_bytes / static_cast<double>(node.writes.size());
  }
  for (const std::size_t n : nodes) {
    for (const std::int64_t value : facts.nodes[n].reads) ++read[value];
  }
  for (const auto& [value, size] : written) {
    const auto here = read.find(value);
    const auto all = readers.find(value);
    if (here == read.end() || all == readers.end() || all->second != here->second) continue;
    bytes -= size * static_cast<double>(1 + here->second);
  }
  return std::max(bytes, 0.0);
}

// "1x56x56x64" of "float32[1, 56, 56, 64]".
std::string sizes_of(std::string_view text) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  std::string out;
  for (const char c : text.substr(open + 1, close - open - 1)) {
    if (c == ',') out += 'x';
    else if (c != ' ') out += c;
  }
  return out;
}

std::string shape_of(const NodeFacts& first, const NodeFacts& last) {
  if (first.inputs.empty() || last.outputs.empty()) return {};
  const std::string from = sizes_of(first.inputs.front()), to = sizes_of(last.outputs.front());
  return from.empty() || to.empty() ? std::string() : from + " -> " + to;
}

class Matcher {
 public:
  Matcher(const ModelFacts& facts, const SourceMap& sources, Profile& profile)
      : facts_(facts), sources_(sources), profile_(profile), instructions_(by_instruction(facts)) {
    for (const NodeFacts& node : facts.nodes) {
      for (const std::int64_t value : node.reads) ++readers_[value];
    }
  }

  std::string misfit() const {
    for (const OperatorRow& row : profile_.operators) {
      if (std::string found = analysis::misfit(row, instructions_, facts_); !found.empty()) return found;
    }
    return {};
  }

  void match() {
    std::map<std::int64_t, std::vector<std::size_t>> delegate_events;
    for (std::size_t i = 0; i < profile_.operators.size(); ++i) {
      OperatorRow& row = profile_.operators[i];
      if (row.instruction < 0) {
        row.unmapped = "its events name no instruction";
      } else if (!row.delegated || is_call(row)) {
        row.nodes = instructions_[row.instruction].nodes;
      } else if (row.payload_nodes) {
        take_told_nodes(row);
      } else {
        delegate_events[row.instruction].push_back(i);
      }
    }
    for (auto& [instruction, rows] : delegate_events) match_events(instruction, rows);
    for (OperatorRow& row : profile_.operators) describe(row);
    profile_.dtype = main_dtype();
    profile_.has_facts = true;
  }

  std::vector<std::string> reasons() const {
    std::map<std::string, std::pair<std::size_t, double>> reasons;
    for (const OperatorRow& row : profile_.operators) {
      if (row.unmapped.empty()) continue;
      auto& [count, ms] = reasons[row.unmapped];
      ++count;
      ms += row.avg_ms;
    }
    std::vector<std::string> out;
    for (const auto& [reason, what] : reasons) {
      out.push_back(fmt::format("{}: {} of {} operators ({:.3f} ms) are not mapped to the program: {}", profile_.name,
                                what.first, profile_.operators.size(), what.second, reason));
    }
    return out;
  }

 private:
  void take_told_nodes(OperatorRow& row) {
    const std::vector<std::size_t>& nodes = instructions_[row.instruction].nodes;
    if (row.payload_nodes->empty()) row.unmapped = "a copy that the engine makes by itself; no node of the model";
    for (const std::size_t node : *row.payload_nodes) {
      if (node < nodes.size()) {
        row.nodes.push_back(nodes[node]);
        continue;
      }
      row.nodes.clear();
      row.unmapped = fmt::format("its events name node {} of a payload with {}", node, nodes.size());
      return;
    }
  }

  void match_events(std::int64_t instruction, std::vector<std::size_t>& rows) {
    std::sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
      return profile_.operators[a].order < profile_.operators[b].order;
    });
    const auto& operators = instructions_[instruction].operators;
    std::vector<std::string_view> labels;
    for (const std::size_t i : rows) labels.push_back(profile_.operators[i].name);
    std::vector<AlignedEvent> aligned(rows.size());
    if (!operators.empty()) aligned = align_events(labels, operators, facts_);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      OperatorRow& row = profile_.operators[rows[k]];
      row.nodes = std::move(aligned[k].nodes);
      row.unmapped = std::move(aligned[k].unmapped);
      if (operators.empty()) row.unmapped = "the steps of this delegate's runtime are not known";
    }
  }

  void describe(OperatorRow& row) const {
    if (row.nodes.empty()) return;
    const auto flops_of = [&](std::size_t n) { return facts_.nodes[n].flops; };
    const NodeFacts& first = facts_.nodes[row.nodes.front()];
    const NodeFacts& main = facts_.nodes[*std::max_element(
        row.nodes.begin(), row.nodes.end(), [&](std::size_t a, std::size_t b) { return flops_of(a) < flops_of(b); })];
    if (row.shape.empty()) row.shape = shape_of(first, facts_.nodes[row.nodes.back()]);
    row.dtype = main.compute_dtype.empty() ? main.dtype : main.compute_dtype;
    const double calls = row.calls > 0 ? row.calls : 1;
    row.flops = calls * std::accumulate(row.nodes.begin(), row.nodes.end(), 0.0,
                                        [&](double sum, std::size_t n) { return sum + flops_of(n); });
    row.bytes = calls * bytes_of(row.nodes, facts_, readers_);
    if (row.avg_ms > 0 && !row.below_resolution) {
      if (*row.flops > 0) row.gflops_per_second = *row.flops / row.avg_ms / 1e6;
      if (*row.bytes > 0) row.gbytes_per_second = *row.bytes / row.avg_ms / 1e6;
    }
    if (row.delegated && !is_call(row)) find_source(row, main);
  }

  // Of the node that does most of the work, else of any.
  void find_source(OperatorRow& row, const NodeFacts& main) const {
    if (row.source) return;
    std::vector<const NodeFacts*> nodes = {&main};
    for (const std::size_t n : row.nodes) nodes.push_back(&facts_.nodes[n]);
    for (const NodeFacts* node : nodes) {
      if (node->debug_handle < 0) continue;
      std::optional<Origin> origin = sources_.find_handle(node->debug_handle);
      if (!origin) continue;
      row.op_type = origin->op_types.front();
      row.source = std::move(origin->source);
      if (row.source) return;
    }
  }

  // Of most of the arithmetic; of most of the time in a program without any.
  std::string main_dtype() const {
    std::map<std::string, std::pair<double, double>> weights;
    for (const OperatorRow& row : profile_.operators) {
      if (row.nodes.empty()) continue;
      auto& [flops, ms] = weights[row.dtype];
      flops += row.flops.value_or(0);
      ms += row.avg_ms;
    }
    const auto most = std::max_element(weights.begin(), weights.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == weights.end() ? std::string() : most->first;
  }

  const ModelFacts& facts_;
  const SourceMap& sources_;
  Profile& profile_;
  Instructions instructions_;
  std::map<std::int64_t, std::size_t> readers_;  // nodes that read a value
};

}  // namespace

std::vector<std::string> attach_facts(const ModelFacts& facts, const SourceMap& sources, Profile& profile) {
  Matcher matcher(facts, sources, profile);
  if (const std::string misfit = matcher.misfit(); !misfit.empty()) {
    return {fmt::format("{}: the program file is left out, it is not the one that was recorded: {}", profile.name, misfit)};
  }
  matcher.match();
  return matcher.reasons();
}

}  // namespace etalon::analysis

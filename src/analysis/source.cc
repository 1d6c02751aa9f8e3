#include "analysis/source.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace etalon::analysis {
namespace {

using formats::etrecord::DelegateInfo;
using formats::etrecord::EtRecord;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

// `File "/a/model.py", line 12, in forward`
std::optional<Source> parse_frame(std::string_view line) {
  constexpr std::string_view kFile = "File \"";
  constexpr std::string_view kLine = "\", line ";
  line = trimmed(line);
  if (!line.starts_with(kFile)) return std::nullopt;
  line.remove_prefix(kFile.size());
  const std::size_t end = line.find(kLine);
  if (end == std::string_view::npos) return std::nullopt;
  Source source;
  source.file = line.substr(0, end);
  line.remove_prefix(end + kLine.size());
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), source.line);
  if (parsed.ec != std::errc()) return std::nullopt;
  const std::size_t in = line.find(", in ");
  if (in != std::string_view::npos) source.function = trimmed(line.substr(in + 5));
  return source;
}

bool is_framework_file(std::string_view file) {
  return file.find("/torch/") != std::string_view::npos ||
         file.find("/executorch/") != std::string_view::npos;
}

// The record writes `key,path,type` triples joined by ';', outermost first.
void read_module_stack(std::string_view stack, Source& source) {
  const std::size_t semicolon = stack.rfind(';');
  const std::string_view last = semicolon == std::string_view::npos ? stack : stack.substr(semicolon + 1);
  const std::size_t first_comma = last.find(',');
  const std::size_t last_comma = last.rfind(',');
  if (first_comma == std::string_view::npos || first_comma == last_comma) return;
  source.module = trimmed(last.substr(first_comma + 1, last_comma - first_comma - 1));
  source.module_type = trimmed(last.substr(last_comma + 1));
  if (source.module.starts_with("L['self'].")) source.module.erase(0, 10);
}

// "aten.relu.default" for "executorch.exir.dialects.edge.ops.aten.relu.default".
std::string short_target(std::string_view target) {
  for (const std::string_view prefix :
       {std::string_view("executorch.exir.dialects.edge.ops."),
        std::string_view("executorch.exir.dialects.edge._ops."), std::string_view("torch.ops.")}) {
    if (target.starts_with(prefix)) return std::string(target.substr(prefix.size()));
  }
  return std::string(target);
}

template <class Map>
const typename Map::mapped_type* method_entry(const Map& methods, const std::string& method) {
  const auto found = methods.find(method);
  return found == methods.end() ? nullptr : &found->second;
}

// Events do not say which method ran; records of one method are the rule, and `forward` the first choice.
std::string main_method(const EtRecord& record) {
  const auto& methods = record.maps.debug_handles;
  if (methods.empty() || methods.count("forward") > 0) return "forward";
  return methods.begin()->first;
}

const std::vector<std::int64_t>* delegate_handles(const DelegateInfo& info, std::string_view event) {
  if (const auto exact = info.handles.find(std::string(event)); exact != info.handles.end())
    return &exact->second;
  for (const auto& [part, handles] : info.handles) {
    if (!part.empty() && event.find(part) != std::string_view::npos) return &handles;
  }
  return nullptr;
}

}  // namespace

std::string Source::text() const {
  const std::string name = file.substr(file.rfind('/') + 1);
  return function.empty() ? fmt::format("{}:{}", name, line)
                          : fmt::format("{}:{} ({})", name, line, function);
}

std::optional<Source> source_of_stack(std::string_view stack_trace, std::string_view nn_module_stack) {
  std::optional<Source> best;
  bool best_is_framework = true;
  std::string_view rest = stack_trace;
  while (!rest.empty()) {
    std::optional<Source> frame = parse_frame(next_line(rest));
    if (!frame) continue;
    std::string_view ahead = rest;
    const std::string_view code = trimmed(next_line(ahead));
    if (!code.starts_with("File \"")) frame->code = code.substr(0, 200);
    const bool framework = is_framework_file(frame->file);
    if (framework && !best_is_framework) continue;
    best_is_framework = framework;
    best = std::move(frame);
  }
  if (best) read_module_stack(nn_module_stack, *best);
  return best;
}

SourceMap::SourceMap(const EtRecord& record) {
  const std::string method = main_method(record);
  if (const auto* handles = method_entry(record.maps.debug_handles, method)) handles_ = *handles;
  if (const auto* delegates = method_entry(record.maps.delegates, method)) delegates_ = *delegates;
  const auto* graph = record.edge_graph(method);
  if (graph == nullptr) return;
  for (const auto& info : graph->nodes) {
    if (info.debug_handle == 0) continue;
    Node node{short_target(info.target), source_of_stack(info.stack_trace, info.nn_module_stack)};
    std::vector<Node>& nodes = nodes_[info.debug_handle];
    // An operator and the getitem that unpacks it share a handle: the one that computes comes first.
    const bool computes = node.op_type.find("getitem") == std::string::npos;
    nodes.insert(computes && !nodes.empty() && nodes.front().op_type.find("getitem") != std::string::npos
                     ? nodes.begin()
                     : nodes.end(),
                 std::move(node));
  }
}

std::optional<Origin> SourceMap::find(std::int64_t instruction, std::string_view delegate_event) const {
  const std::vector<std::int64_t>* handles = nullptr;
  if (delegate_event.empty()) {
    if (const auto found = handles_.find(instruction); found != handles_.end()) handles = &found->second;
  } else if (const auto found = delegates_.find(instruction); found != delegates_.end()) {
    handles = delegate_handles(found->second, delegate_event);
  }
  if (handles == nullptr) return std::nullopt;
  return origin_of(*handles);
}

std::optional<Origin> SourceMap::find_handle(std::int64_t debug_handle) const { return origin_of({debug_handle}); }

std::optional<Origin> SourceMap::origin_of(const std::vector<std::int64_t>& handles) const {
  Origin origin;
  for (const std::int64_t handle : handles) {
    const auto nodes = nodes_.find(handle);
    if (nodes == nodes_.end()) continue;
    for (const Node& node : nodes->second) {
      if (!origin.source) origin.source = node.source;
      const auto& types = origin.op_types;
      if (std::find(types.begin(), types.end(), node.op_type) == types.end())
        origin.op_types.push_back(node.op_type);
    }
  }
  if (origin.op_types.empty()) return std::nullopt;
  return origin;
}

std::string_view SourceMap::backend_of(std::int64_t instruction) const {
  const auto found = delegates_.find(instruction);
  return found == delegates_.end() ? std::string_view() : std::string_view(found->second.name);
}

}  // namespace etalon::analysis

// From an instruction back to the line of model code it came from, through an export record.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/etrecord/etrecord.h"

namespace etalon::analysis {

struct Source {
  std::string file;
  int line = 0;
  std::string function;
  std::string code;          // the statement
  std::string module;        // "features.0.0", as in named_modules()
  std::string module_type;   // "torch.nn.modules.conv.Conv2d"
  std::string text() const;  // "model.py:12 (forward)"
};

struct Origin {
  std::optional<Source> source;  // absent where the record has no stack for the node
  std::vector<std::string>
      op_types;  // "aten.convolution.default", in the order of the handles, without repeats
};

// Copies what it needs from the record. Read-only after construction, so thread-safe.
class SourceMap {
 public:
  SourceMap() = default;
  explicit SourceMap(const formats::etrecord::EtRecord& record);

  bool empty() const { return nodes_.empty(); }
  // Nothing when the record does not know the instruction. `delegate_event` is a delegate's event id or
  // label, empty for a kernel.
  std::optional<Origin> find(std::int64_t instruction, std::string_view delegate_event) const;
  // By the handle that a node of a delegate's payload carries.
  std::optional<Origin> find_handle(std::int64_t debug_handle) const;
  // "XnnpackBackend" for a delegate call; empty when unknown.
  std::string_view backend_of(std::int64_t instruction) const;

 private:
  struct Node {
    std::string op_type;
    std::optional<Source> source;
  };
  std::optional<Origin> origin_of(const std::vector<std::int64_t>& handles) const;

  std::map<std::int64_t, std::vector<Node>> nodes_;  // by debug handle; a decomposed operator leaves several
  formats::etrecord::HandleMap handles_;
  std::map<std::int64_t, formats::etrecord::DelegateInfo> delegates_;
};

// The last frame of a Python stack that is not inside torch itself, else the last; nothing without a frame.
std::optional<Source> source_of_stack(std::string_view stack_trace, std::string_view nn_module_stack);

}  // namespace etalon::analysis

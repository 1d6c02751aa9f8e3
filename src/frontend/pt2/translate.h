// Nodes of an exported program -> nodes of a functional graph.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "formats/pt2/pt2.h"
#include "frontend/pt2/aliases.h"
#include "frontend/pt2/symbols.h"
#include "frontend/pt2/unsupported_list.h"
#include "ir/builder.h"

namespace etalon::frontend {

// What a name of the program stands for: a tensor, or a number (a literal, or a ValueId computed at run
// time).
using Binding = std::variant<SlotId, ir::Arg>;
using Names = std::unordered_map<std::string, Binding>;

class Translator {
 public:
  Translator(ir::Graph& graph, const Symbols& symbols)
      : graph_(graph), symbols_(symbols), builder_(graph), aliases_(builder_) {}

  ir::Builder& builder() { return builder_; }
  Aliases& aliases() { return aliases_; }
  Names& names() { return names_; }

  // All nodes, in order. Operators that cannot be translated are collected; the graph is then of no use.
  Status translate(const formats::pt2::Graph& program);
  const UnsupportedList& unsupported_operators() const { return unsupported_; }

  // An argument as the graph wants it, tensors read now.
  Result<ir::Arg> argument(const formats::pt2::Argument& argument);
  Result<SlotId> slot(const std::string& name) const;
  // The exporter's name of a value, where it has one.
  void name_value(ir::ValueId value, const std::string& name);

 private:
  using Node = formats::pt2::Node;
  using Program = formats::pt2::Graph;

  Status translate_node(const Program& program, const Node& node);
  Status translate_operator(const Program& program, const Node& node, std::string_view name);
  Status translate_in_place(const Node& node, const Target& target, std::vector<ir::Arg> args);
  Status translate_in_place_view(const Node& node, const std::string& functional);
  Status translate_number(const Program& program, const Node& node);
  Status inline_subgraph(const Node& node);
  Result<std::vector<ir::Arg>> place_arguments(const Node& node, const ops::Schema& schema);
  Status bind_outputs(const Program& program, const Node& node, std::string_view name, const Target& target,
                      const std::vector<ir::Arg>& args, const ir::ValueIds& outs);
  // Makes something of the declared size for a node that could not be translated, so that the rest can be
  // looked at.
  Status bind_unknown(const Program& program, const Node& node);
  Result<ir::Arg> named_number(const std::string& name) const;
  Result<ir::Arg> number_list(const std::vector<formats::pt2::SymIntArg>& items) const;
  Result<ir::ValueIds> tensor_list(const std::vector<std::string>& names);

  ir::Graph& graph_;
  const Symbols& symbols_;
  ir::Builder builder_;
  Aliases aliases_;
  Names names_;
  UnsupportedList unsupported_;
  int depth_ = 0;
};

// Names of the tensors that a node gives, in order.
std::vector<std::string> output_names(const formats::pt2::Node& node);

}  // namespace etalon::frontend

#include <fmt/core.h>

#include <cmath>

#include "ir/builder.h"
#include "ir/text.h"

namespace etalon::ir {
namespace {

constexpr std::size_t kShownElements = 16;

std::string bounded(double max, double probe) { return max == probe ? fmt::format("{}", max) : fmt::format("{}~{}", max, probe); }

std::string dim_text(std::int64_t max, std::int64_t probe) {
  return max == probe ? fmt::format("{}", max) : fmt::format("{}~{}", max, probe);
}

std::string type_text(const TensorType& type) {
  std::string out = fmt::format("{}[", short_name_of(type.dtype));
  for (std::size_t i = 0; i < type.sizes.size(); ++i) {
    if (i > 0) out += ", ";
    out += dim_text(type.sizes[i], type.probe[i]);
  }
  out += "]";
  if (!is_contiguous_order(type.order)) {
    out += "{";
    for (std::size_t i = 0; i < type.order.size(); ++i) out += fmt::format("{}{}", i > 0 ? "," : "", type.order[i]);
    out += "}";
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Doubles keep a point or an exponent, so that 1.0 and 1 stay different.
std::string double_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

class Printer {
 public:
  explicit Printer(const Graph& graph) : graph_(graph) {}

  std::string run() {
    out_ = fmt::format("graph {} {{\n", graph_.method);
    for (const Input& input : graph_.inputs) line(fmt::format("input %{}: {}", name(input.value), to_text(graph_[input.value].type)));
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].source == ValueSource::kConstant) print_constant(ValueId(i));
    }
    for (const Node& node : graph_.nodes) {
      if (!node.dead) print_node(node);
    }
    print_outputs();
    return std::move(out_) + "}\n";
  }

 private:
  void line(const std::string& text) { out_ += "  " + text + "\n"; }
  const std::string& name(ValueId id) const { return graph_[id].name; }

  void print_constant(ValueId id) {
    const Constant& constant = *graph_.constant_of(id);
    std::string text = fmt::format("constant %{}: {}", name(id), to_text(constant.type));
    if (constant.is_parameter) text += " parameter";
    if (constant.is_state) text += " state";
    const auto count = static_cast<std::size_t>(numel(constant.type.sizes));
    if (count <= kShownElements && !constant.data.bytes().empty()) {
      text += " = {";
      for (std::size_t i = 0; i < count; ++i) text += fmt::format("{}{}", i > 0 ? ", " : "", element_as_double(constant, i));
      text += "}";
    }
    line(text);
  }

  std::string item_text(const IntItem& item) const {
    return item.symbol == kNoValue ? fmt::format("{}", item.value) : "%" + name(item.symbol);
  }

  template <class T, class Each>
  static std::string list_text(const std::vector<T>& items, Each&& each) {
    std::string out = "[";
    for (std::size_t i = 0; i < items.size(); ++i) out += (i > 0 ? ", " : "") + each(items[i]);
    return out + "]";
  }

  std::string arg_text(const Arg& arg) const {
    if (std::holds_alternative<std::monostate>(arg)) return "None";
    if (const auto* v = std::get_if<bool>(&arg)) return *v ? "true" : "false";
    if (const auto* v = std::get_if<std::int64_t>(&arg)) return fmt::format("{}", *v);
    if (const auto* v = std::get_if<double>(&arg)) return double_text(*v);
    if (const auto* v = std::get_if<std::string>(&arg)) return quoted(*v);
    if (const auto* v = std::get_if<ValueId>(&arg)) return *v == kNoValue ? "None" : "%" + name(*v);
    if (const auto* v = std::get_if<IntItems>(&arg)) return list_text(*v, [&](const IntItem& item) { return item_text(item); });
    if (const auto* v = std::get_if<std::vector<double>>(&arg)) return "f" + list_text(*v, [](double d) { return double_text(d); });
    if (const auto* v = std::get_if<std::vector<bool>>(&arg)) {
      return "b" + list_text(*v, [](bool b) { return std::string(b ? "true" : "false"); });
    }
    const auto& ids = std::get<ValueIds>(arg);
    return "t" + list_text(ids, [&](ValueId id) { return id == kNoValue ? std::string("None") : "%" + name(id); });
  }

  void print_node(const Node& node) {
    std::string text;
    for (std::size_t i = 0; i < node.outs.size(); ++i) {
      text += fmt::format("{}%{}: {}", i > 0 ? ", " : "", name(node.outs[i]), to_text(graph_[node.outs[i]].type));
    }
    text += fmt::format(" = {}(", node.op ? node.op->functional_name : "?");
    for (std::size_t i = 0; i < node.args.size(); ++i) text += (i > 0 ? ", " : "") + arg_text(node.args[i]);
    line(text + ")");
    if (node.op && is_delegate_call(*node.op)) print_delegate(node);
  }

  // "    | XnnpackBackend", then a line per node of the payload.
  void print_delegate(const Node& node) {
    const Delegate* delegate = delegate_of(graph_, node.args);
    if (delegate == nullptr) return;
    line("  | " + delegate->backend);
    std::string_view rest = delegate->listing;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      line(fmt::format("  |   {}", rest.substr(0, end)));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }

  std::string state_name(ConstantId id) const {
    for (const Value& value : graph_.values) {
      if (value.source == ValueSource::kConstant && value.source_index == index_of(id)) return value.name;
    }
    return graph_.constants[index_of(id)].name;
  }

  void print_outputs() {
    std::string returned;
    bool first = true;
    for (const Output& output : graph_.outputs) {
      if (output.kind == Output::Kind::kStateUpdate) {
        line(fmt::format("update %{} = {}", state_name(output.state), arg_text(output.value)));
      } else {
        returned += (first ? " " : ", ") + arg_text(output.value);
        first = false;
      }
    }
    line("return" + returned);
  }

  const Graph& graph_;
  std::string out_;
};

}  // namespace

std::string to_text(const Type& type) {
  if (const auto* tensor = std::get_if<TensorType>(&type)) return type_text(*tensor);
  const auto& number = std::get<NumberType>(type);
  constexpr const char* kNames[] = {"int", "float", "bool"};
  return fmt::format("{}({})", kNames[static_cast<int>(number.kind)], bounded(number.max, number.probe));
}

std::string print(const Graph& graph) { return Printer(graph).run(); }

}  // namespace etalon::ir

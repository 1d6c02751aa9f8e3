// The arguments of nodes: names looked up, placed by the operator's schema, defaults filled in.
#include <fmt/core.h>

#include "frontend/pt2/translate.h"

namespace etalon::frontend {
namespace pt2 = formats::pt2;

Result<SlotId> Translator::slot(const std::string& name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return invalid_input(fmt::format("'{}' is used and never defined", name));
  if (const auto* id = std::get_if<SlotId>(&found->second)) return *id;
  return invalid_input(fmt::format("'{}' is a number where a tensor is wanted", name));
}

Result<ir::Arg> Translator::named_number(const std::string& name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return invalid_input(fmt::format("'{}' is used and never defined", name));
  if (const auto* number = std::get_if<ir::Arg>(&found->second)) return *number;
  return invalid_input(fmt::format("'{}' is a tensor where a number is wanted", name));
}

Result<ir::Arg> Translator::number_list(const std::vector<pt2::SymIntArg>& items) const {
  ir::IntItems out;
  for (const pt2::SymIntArg& item : items) {
    if (item.name.empty()) {
      out.push_back({item.value, ir::kNoValue});
      continue;
    }
    ETALON_TRY(const ir::Arg number, named_number(item.name));
    if (const auto* literal = std::get_if<std::int64_t>(&number)) {
      out.push_back({*literal, ir::kNoValue});
    } else if (const auto* id = std::get_if<ir::ValueId>(&number)) {
      out.push_back({0, *id});
    } else {
      return invalid_input(fmt::format("'{}' is not an integer", item.name));
    }
  }
  return ir::Arg{std::move(out)};
}

Result<ir::ValueIds> Translator::tensor_list(const std::vector<std::string>& names) {
  ir::ValueIds out;
  for (const std::string& name : names) {
    if (name.empty()) {
      out.push_back(ir::kNoValue);
      continue;
    }
    ETALON_TRY(const SlotId id, slot(name));
    ETALON_TRY(const ir::ValueId value, aliases_.read(id));
    out.push_back(value);
  }
  return out;
}

Result<ir::Arg> Translator::argument(const pt2::Argument& argument) {
  if (const auto* v = argument.as<pt2::TensorArg>()) {
    ETALON_TRY(const SlotId id, slot(v->name));
    ETALON_TRY(const ir::ValueId value, aliases_.read(id));
    return ir::Arg{value};
  }
  if (const auto* v = argument.as<pt2::TensorsArg>()) {
    ETALON_TRY(ir::ValueIds ids, tensor_list(v->names));
    return ir::Arg{std::move(ids)};
  }
  if (const auto* v = argument.as<pt2::OptionalTensorsArg>()) {
    ETALON_TRY(ir::ValueIds ids, tensor_list(v->names));
    return ir::Arg{std::move(ids)};
  }
  if (argument.as<pt2::NoneArg>()) return ir::Arg{};
  if (const auto* v = argument.as<pt2::IntArg>()) return ir::Arg{v->value};
  if (const auto* v = argument.as<pt2::IntsArg>()) return ir::Arg{ir::literal_ints(v->values)};
  if (const auto* v = argument.as<pt2::FloatArg>()) return ir::Arg{v->value};
  if (const auto* v = argument.as<pt2::FloatsArg>()) return ir::Arg{v->values};
  if (const auto* v = argument.as<pt2::BoolArg>()) return ir::Arg{v->value};
  if (const auto* v = argument.as<pt2::BoolsArg>())
    return ir::Arg{std::vector<bool>(v->values.begin(), v->values.end())};
  if (const auto* v = argument.as<pt2::StringArg>()) return ir::Arg{v->value};
  if (const auto* v = argument.as<pt2::SymIntArg>())
    return v->name.empty() ? Result<ir::Arg>(ir::Arg{v->value}) : named_number(v->name);
  if (const auto* v = argument.as<pt2::SymFloatArg>())
    return v->name.empty() ? Result<ir::Arg>(ir::Arg{v->value}) : named_number(v->name);
  if (const auto* v = argument.as<pt2::SymBoolArg>())
    return v->name.empty() ? Result<ir::Arg>(ir::Arg{v->value}) : named_number(v->name);
  if (const auto* v = argument.as<pt2::SymIntsArg>()) return number_list(v->values);
  if (const auto* v = argument.as<pt2::ScalarTypeArg>()) return ir::Arg{std::int64_t{v->dtype}};
  if (const auto* v = argument.as<pt2::MemoryFormatArg>()) return ir::Arg{std::int64_t{v->format}};
  if (const auto* v = argument.as<pt2::LayoutArg>()) return ir::Arg{std::int64_t{v->layout}};
  if (const auto* v = argument.as<pt2::DeviceArg>()) return ir::Arg{v->device};
  return unsupported("an argument is of a kind that is not supported");
}

Result<std::vector<ir::Arg>> Translator::place_arguments(const Node& node, const ops::Schema& schema) {
  std::vector<ir::Arg> args;
  std::vector<bool> given(schema.args.size(), false);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const pt2::NamedArgument& input = node.inputs[i];
    int at = schema.find(input.name);
    if (at < 0 && input.kind != pt2::ArgumentKind::kKeyword && i < schema.args.size())
      at = static_cast<int>(i);
    if (at < 0) {
      if (input.arg.as<pt2::NoneArg>()) continue;
      return unsupported(fmt::format("argument '{}' is not known", input.name));
    }
    const auto place = static_cast<std::size_t>(at);
    while (args.size() <= place) {
      // A gap that stays is filled with the default below.
      args.emplace_back();
    }
    ETALON_TRY(args[place], argument(input.arg));
    const auto* value = std::get_if<ir::ValueId>(&args[place]);
    if (value != nullptr && graph_[*value].is_tensor() && schema.args[place].type != ops::ArgType::kTensor) {
      return invalid_input(fmt::format("argument '{}' is a tensor where a number is wanted", input.name));
    }
    given[place] = true;
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (given[i]) continue;
    ETALON_TRY(args[i], ir::default_arg(schema.args[i]));
  }
  return args;
}

}  // namespace etalon::frontend

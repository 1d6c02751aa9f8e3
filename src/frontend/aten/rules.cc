#include "frontend/aten/rules.h"

#include <fmt/core.h>

#include <exception>
#include <memory>
#include <string>
#include <unordered_map>

namespace etalon::frontend {

namespace {

struct Known {
  const Rule* rule;
  ops::Schema schema;
};
using Table = std::unordered_map<std::string, Known>;

Table make_table() {
  Table table;
  const auto add = [&](const RuleFamily& family) {
    for (const Rule& rule : family) {
      auto schema = ops::parse_schema(rule.schema);
      ETALON_CHECK(schema.ok());
      const std::string name = schema->full_name();
      const bool is_new = table.emplace(name, Known{&rule, std::move(*schema)}).second;
      ETALON_CHECK(is_new);
    }
  };
#define ETALON_RULES(family) add(family);
#include "frontend/aten/rules.def"
#undef ETALON_RULES
  return table;
}

const Table& table() {
  static const Table rules = make_table();
  return rules;
}

bool is_literal_number(const Arg& arg) {
  return std::holds_alternative<bool>(arg) || std::holds_alternative<std::int64_t>(arg) ||
         std::holds_alternative<double>(arg);
}

bool is_number(const ir::Graph& graph, const Arg& arg) {
  const auto* id = std::get_if<ValueId>(&arg);
  return is_literal_number(arg) || (id != nullptr && *id != ir::kNoValue && !graph[*id].is_tensor());
}

ValueId first_tensor(const ir::Graph& graph, const std::vector<Arg>& args) {
  for (const Arg& arg : args) {
    const auto* id = std::get_if<ValueId>(&arg);
    if (id != nullptr && *id != ir::kNoValue && graph[*id].is_tensor()) return *id;
  }
  return ir::kNoValue;
}

// torch.export leaves Python numbers where a schema says Tensor.
void make_tensors_of_numbers(Lowering& lowering, const ops::Schema& schema, std::vector<Arg>& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (schema.args[i].type != ops::ArgType::kTensor || !is_number(lowering.graph(), args[i])) continue;
    const ValueId beside = first_tensor(lowering.graph(), args);
    if (beside == ir::kNoValue) refuse_input("wants a tensor among its arguments");
    args[i] = lowering.wrapped(args[i], beside);
  }
}

// Lists of fixed length, so that rules can index them. "int[1]" is how torch writes dims, of which there may
// be any number.
void check_list_lengths(const ops::Schema& schema, const std::vector<Arg>& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto* items = std::get_if<IntItems>(&args[i]);
    const auto wanted = static_cast<std::size_t>(schema.args[i].list_length);
    const bool may_be_empty = schema.args[i].default_text == "[]";
    if (items == nullptr || wanted < 2 || items->size() == wanted || (items->empty() && may_be_empty))
      continue;
    refuse_input(
        fmt::format("argument {} has {} items, want {}", schema.args[i].name, items->size(), wanted));
  }
}

ValueIds write(ir::Builder& builder, const Target& target, std::vector<Arg> args) {
  Lowering lowering(builder);
  auto completed = ir::complete_args(*target.schema, args);
  if (!completed.ok()) throw Refusal{completed.take_error()};
  if (target.rule == nullptr || !target.rule->takes_numbers)
    make_tensors_of_numbers(lowering, *target.schema, args);
  check_list_lengths(*target.schema, args);
  if (target.rule != nullptr) return target.rule->lower(lowering, Args(args));
  return take(builder.call_all(target.op->functional_name, std::move(args)));
}

}  // namespace

Target find_target(std::string_view name) {
  const auto found = table().find(std::string(name));
  if (found != table().end()) return {found->second.rule, nullptr, &found->second.schema};
  if (const ops::Op* op = ops::find_op(name)) return {nullptr, op, &op->schema};
  return {};
}

Result<ValueIds> lower(ir::Builder& builder, const Target& target, std::vector<Arg> args) {
  const std::string name = target.schema->full_name();
  try {
    return write(builder, target, std::move(args));
  } catch (Refusal& refusal) {
    if (refusal.error.message().starts_with(name)) return std::move(refusal.error);
    return std::move(refusal.error).with_context(name);
  } catch (const std::exception&) {
    // Rules index lists and arguments with checks; files that nobody's exporter wrote end here.
    return invalid_input(fmt::format("{}: arguments of the wrong kind or number", name));
  }
}

}  // namespace etalon::frontend

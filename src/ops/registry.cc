#include "ops/registry.h"

#include <fmt/core.h>

#include <map>
#include <string>
#include <vector>

namespace etalon::ops {

#define ETALON_OPS(family) extern const OpFamily family;
#include "ops/ops.def"
#undef ETALON_OPS

namespace {

bool is_tensor_option(const SchemaArg& arg) {
  return arg.type == ArgType::kDType || arg.type == ArgType::kLayout || arg.type == ArgType::kDevice ||
         arg.name == "pin_memory";
}

std::vector<int> args_kept_by_out_form(const Schema& schema) {
  const bool has_options = schema.find("layout") >= 0;
  std::vector<int> kept;
  for (std::size_t i = 0; i < schema.args.size(); ++i) {
    if (!(has_options && is_tensor_option(schema.args[i]))) kept.push_back(static_cast<int>(i));
  }
  return kept;
}

class Registry {
 public:
  Registry() {
#define ETALON_OPS(family) add(family);
#include "ops/ops.def"
#undef ETALON_OPS
    for (const Op& op : ops_) index(op);
  }

  const Op* by_name(std::string_view name) const { return lookup(names_, name); }
  const Op* by_out_name(std::string_view name) const { return lookup(out_names_, name); }
  std::span<const Op> all() const { return ops_; }

 private:
  using Index = std::map<std::string, const Op*, std::less<>>;

  static const Op* lookup(const Index& index, std::string_view name) {
    const auto found = index.find(name);
    return found == index.end() ? nullptr : found->second;
  }

  void add(OpFamily family) {
    for (const OpDef& def : family) {
      auto schema = parse_schema(def.schema);
      ETALON_CHECK(schema.ok());  // our own text; registry_test names the row
      Op op;
      op.def = &def;
      op.schema = std::move(*schema);
      op.out_name = std::string(def.out_name);
      op.out_args = args_kept_by_out_form(op.schema);
      op.functional_name = op.schema.full_name();
      ops_.push_back(std::move(op));
    }
  }

  void index(const Op& op) {
    names_.emplace(op.functional_name, &op);
    if (!op.out_name.empty()) out_names_.emplace(op.out_name, &op);
    std::string_view rest = op.def->aliases;
    while (!rest.empty()) {
      const std::size_t end = rest.find(' ');
      names_.emplace(std::string(rest.substr(0, end)), &op);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
  }

  std::vector<Op> ops_;
  Index names_;
  Index out_names_;
};

const Registry& registry() {
  static const Registry instance;
  return instance;
}

bool tag_fits(ArgType type, Value::Tag tag) {
  using Tag = Value::Tag;
  switch (type) {
    case ArgType::kTensor: return tag == Tag::kTensor;
    case ArgType::kInt:
    case ArgType::kDType:
    case ArgType::kMemoryFormat:
    case ArgType::kLayout: return tag == Tag::kInt || tag == Tag::kBool;
    case ArgType::kFloat:
    case ArgType::kScalar: return tag == Tag::kDouble || tag == Tag::kInt || tag == Tag::kBool;
    case ArgType::kBool: return tag == Tag::kBool || tag == Tag::kInt;
    case ArgType::kString: return tag == Tag::kString;
    case ArgType::kDevice: return tag == Tag::kString || tag == Tag::kInt;
    case ArgType::kIntList: return tag == Tag::kIntList;
    case ArgType::kFloatList: return tag == Tag::kDoubleList;
    case ArgType::kBoolList: return tag == Tag::kBoolList;
    case ArgType::kTensorList:
    case ArgType::kOptionalTensorList: return tag == Tag::kTensorList;
  }
  return false;
}

}  // namespace

const Op* find_op(std::string_view functional_name) {
  constexpr std::string_view kDefault = ".default";
  if (functional_name.ends_with(kDefault)) {
    // torch writes the empty overload as "default"; a few of ExecuTorch's prims really have that name.
    if (const Op* op = registry().by_name(functional_name)) return op;
    functional_name.remove_suffix(kDefault.size());
  }
  return registry().by_name(functional_name);
}

const Op* find_out_op(std::string_view out_name) { return registry().by_out_name(out_name); }

std::span<const Op> all_ops() { return registry().all(); }

Status check_arg(const SchemaArg& arg, const Value& value) {
  if (value.is(Value::Tag::kNone)) {
    if (arg.optional) return {};
    return invalid_input(fmt::format("argument {} is None", arg.name));
  }
  if (!tag_fits(arg.type, value.tag())) {
    return invalid_input(fmt::format("argument {} has the wrong kind (tag {})", arg.name, static_cast<int>(value.tag())));
  }
  if (arg.type == ArgType::kTensorList) {
    for (const TensorView* item : value.as_tensors()) {
      if (item == nullptr) return invalid_input(fmt::format("argument {} has a None item", arg.name));
    }
  }
  return {};
}

}  // namespace etalon::ops

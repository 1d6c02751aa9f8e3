// The operators of ATen that are not operators of ours: each is a rule, a function that writes it with ours.
//
// One file per family; each defines `constinit const RuleFamily kXxxRules{kRows};` and has one line in
// rules.def. Rules follow what ExecuTorch's own export makes of the operator, so that programs have familiar
// rows.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "frontend/aten/lowering.h"
#include "ops/registry.h"

namespace etalon::frontend {

using RuleFn = ValueIds (*)(Lowering&, const Args&);

struct Rule {
  std::string_view schema;  // torch's
  RuleFn lower = nullptr;
  // Whether the rule wants plain numbers in the place of tensors as they are; else they arrive as rank-0
  // literals.
  bool takes_numbers = false;
};
using RuleFamily = std::span<const Rule>;

#define ETALON_RULES(family) extern const RuleFamily family;
#include "frontend/aten/rules.def"
#undef ETALON_RULES

// How an operator can be written: by a rule, or as an operator of the registry.
struct Target {
  const Rule* rule = nullptr;
  const ops::Op* op = nullptr;
  const ops::Schema* schema = nullptr;
  explicit operator bool() const { return schema != nullptr; }
};

// By functional name ("aten::conv2d", "aten::add.Tensor"). Null if there is no way. Thread-safe.
Target find_target(std::string_view name);

// Writes the operator; missing trailing arguments take the schema's defaults.
// Errors: kUnsupported (a variant that has no rule), kInvalidInput (wrong arguments), naming the operator.
Result<ValueIds> lower(ir::Builder& builder, const Target& target, std::vector<Arg> args);

}  // namespace etalon::frontend

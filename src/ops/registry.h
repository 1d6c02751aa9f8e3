// All operators, by functional name (for graphs) and by out name (for programs).
// Built on first use from ops.def, immutable afterwards; lookups are thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "ops/op.h"
#include "ops/schema.h"

namespace etalon::ops {

struct Op {
  const OpDef* def = nullptr;
  Schema schema;                    // functional
  std::string out_name;             // equals def->out_name
  std::vector<int> out_args;        // functional positions that the out form keeps, in order

  bool has(Trait trait) const { return (def->traits & trait) != 0; }
  std::string_view name() const { return functional_name; }
  std::string functional_name;      // "aten::add.Tensor"
};

// Functional name or alias ("aten::add.Tensor", "aten::view"); null if we do not have it.
const Op* find_op(std::string_view functional_name);
// Name in programs ("aten::add.out", "executorch_prim::add.Scalar").
const Op* find_out_op(std::string_view out_name);
// Every operator, in the order of ops.def.
std::span<const Op> all_ops();

// Checks a value's tag against the schema's type; torch's implicit conversions (int for float) are allowed.
Status check_arg(const SchemaArg& arg, const Value& value);

}  // namespace etalon::ops

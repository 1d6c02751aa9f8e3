// Operator schemas in torch's notation, such as
//   aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
// Parsed once at start-up from the text in each OpDef; the source of argument names, types and defaults.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::ops {

enum class ArgType : std::uint8_t {
  kTensor,
  kInt,     // int, SymInt
  kFloat,
  kBool,
  kScalar,  // int, float or bool
  kString,
  kDType,         // ScalarType
  kMemoryFormat,
  kLayout,
  kDevice,
  kIntList,       // int[], SymInt[], with or without a fixed length
  kFloatList,
  kBoolList,
  kTensorList,
  kOptionalTensorList,  // Tensor?[]
};

struct SchemaArg {
  std::string name;
  ArgType type = ArgType::kTensor;
  bool optional = false;      // "?" after the type: None allowed
  bool keyword_only = false;  // after "*"
  bool has_default = false;
  std::string default_text;   // "None", "1", "True", "[]", "[0, 1]", "1e-05", "contiguous_format"
  int list_length = 0;        // 2 for int[2]; a single int is then repeated, as torch does
};

struct Schema {
  std::string name;      // "aten::add"
  std::string overload;  // "Tensor"; empty for torch's "default"
  std::vector<SchemaArg> args;
  std::vector<ArgType> returns;

  // "aten::add.Tensor"; the overload "default" is not written.
  std::string full_name() const { return overload.empty() ? name : name + "." + overload; }
  int find(std::string_view arg_name) const;  // index, or -1
};

// Total on any text: kInvalidInput with the place of the error.
Result<Schema> parse_schema(std::string_view text);

}  // namespace etalon::ops

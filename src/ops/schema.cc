#include "ops/schema.h"

#include <fmt/core.h>

#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace etalon::ops {
namespace {

struct TypeName {
  std::string_view text;
  ArgType scalar;
  ArgType list;
};

// Types without a list form repeat themselves; parse_type refuses the list.
constexpr std::array<TypeName, 12> kTypeNames = {{
    {"Tensor", ArgType::kTensor, ArgType::kTensorList},
    {"SymInt", ArgType::kInt, ArgType::kIntList},
    {"int", ArgType::kInt, ArgType::kIntList},
    {"float", ArgType::kFloat, ArgType::kFloatList},
    {"bool", ArgType::kBool, ArgType::kBoolList},
    {"Scalar", ArgType::kScalar, ArgType::kScalar},
    {"str", ArgType::kString, ArgType::kString},
    {"ScalarType", ArgType::kDType, ArgType::kDType},
    {"MemoryFormat", ArgType::kMemoryFormat, ArgType::kMemoryFormat},
    {"Layout", ArgType::kLayout, ArgType::kLayout},
    {"Device", ArgType::kDevice, ArgType::kDevice},
    {"SymFloat", ArgType::kFloat, ArgType::kFloatList},
}};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Schema> parse() {
    Schema schema;
    parse_name(schema);
    ETALON_CHECKED(expect("("));
    ETALON_CHECKED(parse_args(schema));
    ETALON_CHECKED(expect("->"));
    ETALON_CHECKED(parse_returns(schema));
    if (pos_ != text_.size()) return error("end of text");
    return schema;
  }

 private:
  void skip_space() {
    while (pos_ < text_.size() && text_[pos_] == ' ') ++pos_;
  }
  bool accept(std::string_view token) {
    skip_space();
    if (!text_.substr(pos_).starts_with(token)) return false;
    pos_ += token.size();
    return true;
  }
  Status expect(std::string_view token) {
    if (!accept(token)) return error(token);
    return {};
  }
  Error error(std::string_view wanted) const {
    return invalid_input(fmt::format("schema '{}': want '{}' at column {}", text_, wanted, pos_));
  }
  std::string_view word() {
    skip_space();
    const std::size_t start = pos_;
    while (pos_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[pos_])) || text_[pos_] == '_')) ++pos_;
    return text_.substr(start, pos_ - start);
  }

  void parse_name(Schema& schema) {
    const std::size_t end = std::min(text_.find('('), text_.size());
    std::string_view full = text_.substr(0, end);
    pos_ = end;
    const std::size_t dot = full.find('.');
    schema.name = std::string(full.substr(0, dot));
    if (dot != std::string_view::npos) schema.overload = std::string(full.substr(dot + 1));
  }

  // "Tensor(a!)?", "int[2]", "Tensor?[]"
  Result<SchemaArg> parse_type() {
    const std::string_view name = word();
    const TypeName* row = nullptr;
    for (const TypeName& candidate : kTypeNames) {
      if (candidate.text == name) row = &candidate;
    }
    if (row == nullptr) return error("a type");
    SchemaArg arg;
    arg.type = row->scalar;
    if (accept("(")) {
      const std::size_t close = text_.find(')', pos_);
      if (close == std::string_view::npos) return error(")");
      pos_ = close + 1;
    }
    const bool optional_item = accept("?");
    if (accept("[")) {
      const std::string_view length = word();
      for (const char digit : length) arg.list_length = arg.list_length * 10 + (digit - '0');
      ETALON_CHECKED(expect("]"));
      if (row->list == row->scalar) return error("a type that has lists");
      arg.type = optional_item && row->list == ArgType::kTensorList ? ArgType::kOptionalTensorList : row->list;
      arg.optional = accept("?");
    } else {
      arg.optional = optional_item;
    }
    return arg;
  }

  std::string parse_default() {
    const std::size_t start = pos_;
    int depth = 0;
    while (pos_ < text_.size() && (depth > 0 || (text_[pos_] != ',' && text_[pos_] != ')'))) {
      if (text_[pos_] == '[') ++depth;
      if (text_[pos_] == ']') --depth;
      ++pos_;
    }
    return std::string(text_.substr(start, pos_ - start));
  }

  Status parse_args(Schema& schema) {
    bool keyword_only = false;
    while (!accept(")")) {
      if (!schema.args.empty() || keyword_only) ETALON_CHECKED(expect(","));
      if (accept("*")) {
        keyword_only = true;
        if (accept(",") == false) return error(",");
      }
      ETALON_TRY(SchemaArg arg, parse_type());
      arg.keyword_only = keyword_only;
      arg.name = std::string(word());
      if (arg.name.empty()) return error("an argument name");
      if (accept("=")) {
        arg.has_default = true;
        arg.default_text = parse_default();
      }
      schema.args.push_back(std::move(arg));
    }
    return {};
  }

  Status parse_returns(Schema& schema) {
    if (accept("()")) return {};
    const bool tuple = accept("(");
    do {
      ETALON_TRY(const SchemaArg type, parse_type());
      schema.returns.push_back(type.type);
      word();  // an optional name
    } while (tuple && accept(","));
    if (tuple) return expect(")");
    return {};
  }

  std::string_view text_;
  std::size_t pos_ = 0;
};

}  // namespace

int Schema::find(std::string_view arg_name) const {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].name == arg_name) return static_cast<int>(i);
  }
  return -1;
}

Result<Schema> parse_schema(std::string_view text) { return Parser(text).parse(); }

}  // namespace etalon::ops

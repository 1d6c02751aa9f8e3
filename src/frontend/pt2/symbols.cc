#include "frontend/pt2/symbols.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace etalon::frontend {
namespace pt2 = formats::pt2;
namespace {

// torch writes "no upper bound" as the largest integers, sometimes less one.
constexpr std::int64_t kUnbounded = std::int64_t{1} << 40;
constexpr int kMaxDepth = 64;

using Values = std::vector<double>;
using Function = Result<double> (*)(const Values&);

double fold(const Values& v, double start, double (*combine)(double, double)) {
  for (const double x : v) start = combine(start, x);
  return start;
}

Result<double> divide(double a, double b) {
  if (b == 0) return invalid_input("division by zero");
  return a / b;
}
Result<double> floor_divide(const Values& v) {
  ETALON_TRY(const double quotient, divide(v[0], v[1]));
  return std::floor(quotient);
}
Result<double> ceil_divide(const Values& v) {
  ETALON_TRY(const double quotient, divide(v[0], v[1]));
  return std::ceil(quotient);
}
Result<double> modulo(const Values& v) {
  ETALON_TRY(const double quotient, divide(v[0], v[1]));
  return v[0] - std::floor(quotient) * v[1];
}

struct FunctionRow {
  std::string_view name;
  std::size_t min_args;
  std::size_t max_args;
  Function function;
};
constexpr std::size_t kAny = 1000;
constexpr FunctionRow kFunctions[] = {
    {"Add", 0, kAny,
     [](const Values& v) -> Result<double> { return fold(v, 0, [](double a, double b) { return a + b; }); }},
    {"Mul", 0, kAny,
     [](const Values& v) -> Result<double> { return fold(v, 1, [](double a, double b) { return a * b; }); }},
    {"Max", 1, kAny, [](const Values& v) -> Result<double> { return *std::max_element(v.begin(), v.end()); }},
    {"Min", 1, kAny, [](const Values& v) -> Result<double> { return *std::min_element(v.begin(), v.end()); }},
    {"Pow", 2, 2, [](const Values& v) -> Result<double> { return std::pow(v[0], v[1]); }},
    {"PowByNatural", 2, 2, [](const Values& v) -> Result<double> { return std::pow(v[0], v[1]); }},
    {"Rational", 2, 2, [](const Values& v) { return divide(v[0], v[1]); }},
    {"Integer", 1, 1, [](const Values& v) -> Result<double> { return v[0]; }},
    {"Float", 1, 1, [](const Values& v) -> Result<double> { return v[0]; }},
    {"Identity", 1, 1, [](const Values& v) -> Result<double> { return v[0]; }},
    {"ToFloat", 1, 1, [](const Values& v) -> Result<double> { return v[0]; }},
    {"Abs", 1, 1, [](const Values& v) -> Result<double> { return std::fabs(v[0]); }},
    {"floor", 1, 1, [](const Values& v) -> Result<double> { return std::floor(v[0]); }},
    {"FloorToInt", 1, 1, [](const Values& v) -> Result<double> { return std::floor(v[0]); }},
    {"ceiling", 1, 1, [](const Values& v) -> Result<double> { return std::ceil(v[0]); }},
    {"CeilToInt", 1, 1, [](const Values& v) -> Result<double> { return std::ceil(v[0]); }},
    {"TruncToInt", 1, 1, [](const Values& v) -> Result<double> { return std::trunc(v[0]); }},
    {"TruncToFloat", 1, 1, [](const Values& v) -> Result<double> { return std::trunc(v[0]); }},
    {"RoundToInt", 1, 1, [](const Values& v) -> Result<double> { return std::nearbyint(v[0]); }},
    {"FloorDiv", 2, 2, floor_divide},
    {"CeilDiv", 2, 2, ceil_divide},
    {"CleanDiv", 2, 2, floor_divide},
    {"IntTrueDiv", 2, 2, [](const Values& v) { return divide(v[0], v[1]); }},
    {"FloatTrueDiv", 2, 2, [](const Values& v) { return divide(v[0], v[1]); }},
    {"Mod", 2, 2, modulo},
    {"PythonMod", 2, 2, modulo},
    {"ModularIndexing", 3, 3,
     [](const Values& v) -> Result<double> {
       ETALON_TRY(const double quotient, floor_divide(v));
       return modulo({quotient, v[2]});
     }},
};

bool is_word(char c) {
  return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const SymbolLookup& lookup) : text_(text), lookup_(lookup) {}

  Result<double> run() {
    ETALON_TRY(const double value, expression(0));
    skip_space();
    if (pos_ != text_.size()) return error("an end");
    return value;
  }

 private:
  void skip_space() {
    while (pos_ < text_.size() && text_[pos_] == ' ') ++pos_;
  }
  bool accept(char c) {
    skip_space();
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  Error error(std::string_view wanted) const {
    return invalid_input(
        fmt::format("size expression '{}': want {} at column {}", text_.substr(0, 80), wanted, pos_));
  }
  std::string_view word() {
    skip_space();
    const std::size_t start = pos_;
    if (pos_ < text_.size() && (text_[pos_] == '-' || text_[pos_] == '+')) ++pos_;
    while (pos_ < text_.size() && is_word(text_[pos_])) ++pos_;
    return text_.substr(start, pos_ - start);
  }
  Result<std::string_view> quoted() {
    if (!accept('\'')) return error("a quoted name");
    const std::size_t end = text_.find('\'', pos_);
    if (end == std::string_view::npos) return error("a closing quote");
    const std::string_view out = text_.substr(pos_, end - pos_);
    pos_ = end + 1;
    return out;
  }
  // What follows the first argument of Symbol and Float: ", positive=True, precision=53)".
  Status skip_assumptions() {
    while (accept(',')) {
      word();
      if (accept('=')) word();
    }
    if (!accept(')')) return error("')'");
    return {};
  }

  static std::optional<double> number(std::string_view token) {
    if (!token.empty() && token.front() == '+') token.remove_prefix(1);
    double value = 0;
    const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (failed != std::errc() || end != token.data() + token.size()) return std::nullopt;
    return value;
  }

  Result<double> named(std::string_view name) {
    ETALON_TRY(const std::string_view text, quoted());
    ETALON_CHECKED(skip_assumptions());
    if (name == "Symbol") return lookup_(text);
    const auto value = number(text);
    if (!value) return error("a number in quotes");
    return *value;
  }

  Result<double> expression(int depth) {
    if (depth > kMaxDepth) return error("less nesting");
    const std::string_view token = word();
    if (token.empty()) return error("a number or a function");
    if (!accept('(')) {
      if (const auto value = number(token)) return *value;
      return error("a number or a function");
    }
    skip_space();
    if ((token == "Symbol" || token == "Float") && pos_ < text_.size() && text_[pos_] == '\'')
      return named(token);
    Values args;
    while (!accept(')')) {
      if (!args.empty() && !accept(',')) return error("','");
      ETALON_TRY(const double value, expression(depth + 1));
      args.push_back(value);
    }
    return apply(token, args);
  }

  Result<double> apply(std::string_view name, const Values& args) const {
    const std::string_view base = name.substr(name.rfind('.') + 1);
    for (const FunctionRow& row : kFunctions) {
      if (row.name != base) continue;
      if (args.size() < row.min_args || args.size() > row.max_args)
        return error(fmt::format("other arguments of {}", name));
      return row.function(args);
    }
    return unsupported(
        fmt::format("size expression '{}': function {} is not known", text_.substr(0, 80), name));
  }

  std::string_view text_;
  const SymbolLookup& lookup_;
  std::size_t pos_ = 0;
};

Result<std::int64_t> as_size(double value, std::string_view text) {
  constexpr double kLargestExact = 9007199254740992.0;  // 2^53
  if (!(std::fabs(value) < kLargestExact) || value != std::trunc(value)) {
    return invalid_input(
        fmt::format("size expression '{}' gives {}, want an integer", text.substr(0, 80), value));
  }
  return static_cast<std::int64_t>(value);
}

// The name of an expression that is a symbol alone.
std::optional<std::string> lone_symbol(const pt2::SymInt& size) {
  if (!size.expr.starts_with("Symbol('")) return std::nullopt;
  const std::size_t end = size.expr.find('\'', 8);
  if (end == std::string::npos || size.expr.find('(', end) != std::string::npos) return std::nullopt;
  return size.expr.substr(8, end - 8);
}

}  // namespace

Result<double> evaluate_expression(std::string_view text, const SymbolLookup& lookup) {
  return Evaluator(text, lookup).run();
}

std::int64_t Symbol::probe() const {
  const std::int64_t top = max.value_or(min);
  if (hint && *hint != top && *hint >= min && *hint <= top) return *hint;
  return std::max(min, top - 1);
}

Symbols Symbols::of(const pt2::ExportedProgram& program) {
  Symbols out;
  for (const auto& [name, range] : program.range_constraints) {
    Symbol& symbol = out.symbols_[name];
    symbol.min = range.min.value_or(0);
    if (range.max && *range.max < kUnbounded) symbol.max = range.max;
  }
  for (const pt2::InputSpec& spec : program.input_specs) {
    if (spec.kind != pt2::InputKind::kUserInput) continue;
    const auto* tensor = spec.arg.as<pt2::TensorArg>();
    if (const auto* number = spec.arg.as<pt2::SymIntArg>()) {
      const auto found = program.graph.sym_int_values.find(number->name);
      if (found != program.graph.sym_int_values.end())
        out.note_place(found->second, fmt::format("input '{}'", number->name));
    }
    if (tensor == nullptr) continue;
    const auto meta = program.graph.tensor_values.find(tensor->name);
    if (meta == program.graph.tensor_values.end()) continue;
    for (std::size_t d = 0; d < meta->second.sizes.size(); ++d) {
      out.note_place(meta->second.sizes[d], fmt::format("dim {} of input '{}'", d, tensor->name));
    }
  }
  return out;
}

void Symbols::note_place(const pt2::SymInt& size, std::string place) {
  const auto name = lone_symbol(size);
  if (!name) return;
  Symbol& symbol = symbols_[*name];
  if (!symbol.hint) symbol.hint = size.hint;
  if (symbol.place.empty()) symbol.place = std::move(place);
}

const Symbol* Symbols::find(std::string_view name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? nullptr : &found->second;
}

Result<double> Symbols::value(std::string_view name, bool probe) const {
  const Symbol* symbol = find(name);
  if (symbol == nullptr || !symbol->max) {
    const std::string place =
        symbol && !symbol->place.empty() ? symbol->place : fmt::format("symbol {}", name);
    return unsupported(
        fmt::format("{} has no upper bound to plan memory for; export with "
                    "dynamic_shapes that give it one, as in torch.export.Dim(\"name\", max=64)",
                    place));
  }
  return static_cast<double>(probe ? symbol->probe() : *symbol->max);
}

Result<SizePair> Symbols::evaluate(const pt2::SymInt& size) const {
  if (!size.is_symbolic()) return SizePair{size.value, size.value};
  SizePair out;
  ETALON_TRY(const double at_max,
             evaluate_expression(size.expr, [&](std::string_view name) { return value(name, false); }));
  ETALON_TRY(const double at_probe,
             evaluate_expression(size.expr, [&](std::string_view name) { return value(name, true); }));
  ETALON_TRY(out.max, as_size(at_max, size.expr));
  ETALON_TRY(out.probe, as_size(at_probe, size.expr));
  return out;
}

}  // namespace etalon::frontend

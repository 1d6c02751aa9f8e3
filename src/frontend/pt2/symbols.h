// Symbolic sizes: sympy expressions as torch.export writes them (srepr text), under the two assignments of
// the graph.
//
// The first assignment gives every symbol its upper bound; the second ("probe") a different value of its
// range, the one of the export where possible. A symbol without an upper bound cannot be planned for and is
// an error when it is used.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/pt2/pt2.h"

namespace etalon::frontend {

using SymbolLookup = std::function<Result<double>(std::string_view name)>;

// The value of an expression such as "Mul(Integer(2), Symbol('s77', integer=True))". Total on any text.
// Errors: kInvalidInput (not an expression, a division by zero), kUnsupported (an unknown function), the
// lookup's own.
Result<double> evaluate_expression(std::string_view text, const SymbolLookup& lookup);

struct Symbol {
  std::int64_t min = 0;
  std::optional<std::int64_t> max;
  std::optional<std::int64_t> hint;
  std::string place;  // "dim 0 of input 'x'", for messages

  // What the second assignment takes; equals max where the range has one value.
  std::int64_t probe() const;
};

struct SizePair {
  std::int64_t max = 0;
  std::int64_t probe = 0;
};

class Symbols {
 public:
  // Ranges from the program's constraints, hints and places from its inputs.
  static Symbols of(const formats::pt2::ExportedProgram& program);

  // kUnsupported if a symbol has no upper bound; the message names the input's dim.
  Result<SizePair> evaluate(const formats::pt2::SymInt& size) const;
  const Symbol* find(std::string_view name) const;

 private:
  void note_place(const formats::pt2::SymInt& size, std::string place);
  Result<double> value(std::string_view name, bool probe) const;

  std::map<std::string, Symbol, std::less<>> symbols_;
};

}  // namespace etalon::frontend

// torch.einsum: operands are contracted from left to right, each pair as one batched matrix product.
#include <fmt/core.h>

#include <algorithm>

#include "frontend/aten/matmul.h"
#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// A tensor with a label per dim.
struct Term {
  ValueId value = ir::kNoValue;
  std::string labels;
};

bool has(const std::string& labels, char label) { return labels.find(label) != std::string::npos; }

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// "..." stands for as many dims as are left; they get labels that no equation can have.
std::string replace_ellipsis(const std::string& labels, std::size_t count) {
  const std::size_t at = labels.find("...");
  if (at == std::string::npos) return labels;
  std::string digits;
  for (std::size_t i = 0; i < count; ++i) digits += static_cast<char>('0' + (kMaxRank - count + i) % 10);
  return labels.substr(0, at) + digits + labels.substr(at + 3);
}

// Without arrow: the labels that occur once, in alphabetical order, behind the dims of "...".
std::string implicit_output(const std::vector<Term>& terms) {
  std::string all, out;
  for (const Term& term : terms) all += term.labels;
  std::string sorted = all;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (const char label : sorted) {
    const bool is_broadcast = label >= '0' && label <= '9';
    if (is_broadcast || std::count(all.begin(), all.end(), label) == 1) out += label;
  }
  return out;
}

// Sums dims that nobody else has; a label twice in one term would be a diagonal.
Term sum_out(Lowering& lo, Term term, const std::string& wanted) {
  Ints dims;
  std::string kept;
  for (std::size_t i = 0; i < term.labels.size(); ++i) {
    if (has(kept, term.labels[i])) refuse("einsum with a label twice in one operand is not supported");
    if (has(wanted, term.labels[i])) {
      kept += term.labels[i];
    } else {
      dims.push_back(static_cast<std::int64_t>(i));
    }
  }
  if (dims.empty()) return term;
  return {lo.op("aten::sum.dim_IntList", term.value, dims), kept};
}

ValueId arranged(Lowering& lo, const Term& term, const std::string& order) {
  Ints dims;
  for (const char label : order) dims.push_back(static_cast<std::int64_t>(term.labels.find(label)));
  return lo.permute(term.value, dims);
}

SizeOf size_of_label(const Term& term, char label) {
  return {term.value, static_cast<std::int64_t>(term.labels.find(label))};
}

// The dims of one group of labels as one.
SizeOf folded(Lowering& lo, const Term& term, const std::string& labels) {
  if (labels.size() == 1) return size_of_label(term, labels[0]);
  std::int64_t product = 1;
  for (const char label : labels) {
    const SizeOf size = size_of_label(term, label);
    if (lo.type(size.tensor).is_dynamic(static_cast<std::size_t>(size.value))) return SizeOf::literal(-1);
    product *= lo.type(size.tensor).sizes[static_cast<std::size_t>(size.value)];
  }
  return SizeOf::literal(product);
}

// Dims of size one stretch to the other term's.
Term stretched(Lowering& lo, const Term& term, const Term& other) {
  IntItems sizes;
  for (std::size_t i = 0; i < term.labels.size(); ++i) {
    const std::size_t at = other.labels.find(term.labels[i]);
    const TensorType& type = lo.type(term.value);
    const bool grows = at != std::string::npos && !type.is_dynamic(i) && type.sizes[i] == 1 &&
                       (lo.type(other.value).is_dynamic(at) || lo.type(other.value).sizes[at] != 1);
    sizes.push_back(grows ? lo.size(other.value, at) : IntItem{-1, ir::kNoValue});
  }
  return {lo.expand(term.value, sizes), term.labels};
}

Term contract(Lowering& lo, Term a, Term b, const std::string& wanted) {
  a = sum_out(lo, a, wanted + b.labels);
  b = sum_out(lo, b, wanted + a.labels);
  const Term wide_a = stretched(lo, a, b);
  const Term wide_b = stretched(lo, b, a);
  std::string batch, inner, rows, columns;
  for (const char label : a.labels)
    (!has(b.labels, label) ? rows : has(wanted, label) ? batch : inner) += label;
  for (const char label : b.labels) {
    if (!has(a.labels, label)) columns += label;
  }
  const ValueId left =
      lo.reshape(arranged(lo, wide_a, batch + rows + inner),
                 {folded(lo, wide_a, batch), folded(lo, wide_a, rows), folded(lo, wide_a, inner)});
  const ValueId right =
      lo.reshape(arranged(lo, wide_b, batch + inner + columns),
                 {folded(lo, wide_b, batch), folded(lo, wide_b, inner), folded(lo, wide_b, columns)});
  const ValueId product = lo.op("aten::bmm", left, right);
  Sizes sizes;
  for (const char label : batch + rows) sizes.push_back(size_of_label(wide_a, label));
  for (const char label : columns) sizes.push_back(size_of_label(wide_b, label));
  return {lo.reshape(product, sizes), batch + rows + columns};
}

ValueIds einsum(Lowering& lo, const Args& a) {
  std::string equation = a.text(0);
  std::erase(equation, ' ');
  const std::size_t arrow = equation.find("->");
  const std::vector<std::string> inputs = split(equation.substr(0, arrow), ',');
  const ValueIds& values = a.tensors(1);
  if (inputs.size() != values.size())
    refuse_input(fmt::format("the equation has {} operands, {} are given", inputs.size(), values.size()));
  std::vector<Term> terms;
  std::size_t widest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool dots = inputs[i].find("...") != std::string::npos;
    const std::size_t named = inputs[i].size() - (dots ? 3 : 0);
    if (lo.rank(values[i]) < named || (!dots && lo.rank(values[i]) != named)) {
      refuse_input(
          fmt::format("operand {} has {} dims, '{}' wants {}", i, lo.rank(values[i]), inputs[i], named));
    }
    const std::size_t extra = lo.rank(values[i]) - named;
    if (extra > 9) refuse("einsum with more than 9 dims in '...' is not supported");
    widest = std::max(widest, extra);
    terms.push_back({values[i], replace_ellipsis(inputs[i], extra)});
  }
  const std::string output = arrow == std::string::npos
                                 ? implicit_output(terms)
                                 : replace_ellipsis(equation.substr(arrow + 2), widest);
  Term sum = terms[0];
  for (std::size_t i = 1; i < terms.size(); ++i) {
    std::string wanted = output;
    for (std::size_t k = i + 1; k < terms.size(); ++k) wanted += terms[k].labels;
    sum = contract(lo, sum, terms[i], wanted);
  }
  sum = sum_out(lo, sum, output);
  for (const char label : output) {
    if (!has(sum.labels, label)) refuse_input(fmt::format("output label '{}' is in no operand", label));
  }
  return {arranged(lo, sum, output)};
}

constexpr Rule kRows[] = {
    {"aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", einsum},
    {"aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor",
     [](Lowering& lo, const Args& a) -> ValueIds {
       const ValueId out =
           lo.aten("aten::einsum", "...i,oij,...j->...o", ValueIds{a.tensor(0), a.tensor(2), a.tensor(1)});
       return {a.has(3) ? lo.add(out, a.tensor(3)) : out};
     }},
};

}  // namespace

constinit const RuleFamily kEinsumRules{kRows};

}  // namespace etalon::frontend

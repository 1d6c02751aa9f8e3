#include "rate_table.h"

#include <fmt/core.h>

#include "measure/distributions.h"

namespace etalon::bench {
namespace {

std::string percent(std::size_t hits, std::size_t trials) {
  return trials == 0
             ? "-"
             : fmt::format("{:.1f} %", 100.0 * static_cast<double>(hits) / static_cast<double>(trials));
}

std::string with_bounds(std::size_t hits, std::size_t trials) {
  const measure::ProbabilityInterval bounds = measure::binomial_interval(hits, trials, 0.95);
  return fmt::format("{} ({:.1f} to {:.1f})", percent(hits, trials), 100 * bounds.low, 100 * bounds.high);
}

}  // namespace

void Rates::add(const measure::Verdict& verdict, double truth) {
  ++trials;
  faster += verdict.claim == measure::Claim::kFaster ? 1 : 0;
  slower += verdict.claim == measure::Claim::kSlower ? 1 : 0;
  equivalent += verdict.claim == measure::Claim::kEquivalent ? 1 : 0;
  interval_without_1 += verdict.interval.contains(1) ? 0 : 1;
  interval_without_truth += verdict.interval.contains(truth) ? 0 : 1;
  width += verdict.interval.high - verdict.interval.low;
}

std::string rate_table(const std::vector<Row>& rows) {
  std::string out =
      "| noise | injected slowdown | trials | faster or slower (95 %) | of these wrong way | equivalent | "
      "interval without 1 |"
      " interval without the truth | mean width | A then B, Mann-Whitney | blocks as if independent |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const Row& row : rows) {
    const Rates& rates = row.rates;
    const double width = rates.trials == 0 ? 0 : rates.width / static_cast<double>(rates.trials);
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {:.2f} % | {} | {} |\n", row.noise, row.injected,
        rates.trials, with_bounds(rates.faster + rates.slower, rates.trials), rates.faster,
        percent(rates.equivalent, rates.trials), percent(rates.interval_without_1, rates.trials),
        percent(rates.interval_without_truth, rates.trials), 100 * width,
        percent(rates.naive_sequential, rates.trials), percent(rates.naive_blocks, rates.trials));
  }
  return out;
}

}  // namespace etalon::bench

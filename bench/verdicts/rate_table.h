// Counts what verdicts said over many trials, with the uncertainty of the counts themselves.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "measure/verdict.h"

namespace etalon::bench {

// The arms of every trial, measured interleaved in one session and judged against the first.
struct InjectedArm {
  std::string_view name;
  double factor;
};
inline constexpr InjectedArm kArms[] = {
    {"baseline", 1.0}, {"none (A/A)", 1.0}, {"1 %", 1.01}, {"2 %", 1.02}, {"5 %", 1.05}};

struct Rates {
  std::size_t trials = 0;
  std::size_t faster = 0;
  std::size_t slower = 0;
  std::size_t equivalent = 0;
  std::size_t interval_without_1 = 0;
  std::size_t interval_without_truth = 0;
  std::size_t naive_sequential = 0;  // all of A, then all of B, Mann-Whitney over single runs: p < 0.05
  std::size_t naive_blocks = 0;      // the same blocks, taken as independent: signed-rank p < 0.05
  double width = 0;                  // sum of the widths of the intervals

  void add(const measure::Verdict& verdict, double truth);
};

struct Row {
  std::string noise;
  std::string injected;
  Rates rates;
};

// Markdown, with exact 95 % intervals of the first rate of each row.
std::string rate_table(const std::vector<Row>& rows);

}  // namespace etalon::bench

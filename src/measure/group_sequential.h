// Stopping early without cheating: a comparison that may be looked at several times spends its 5 % in parts
// that are fixed before it starts (Lan and DeMets 1983). Looking after every block and stopping when p < 0.05
// would raise the false alarms to 20 % and more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace etalon::measure {

enum class Spending : std::uint8_t {
  kObrienFleming,  // hardly anything early: stops early for large differences only, ends almost as at a fixed
                   // size
  kPocock,         // about evenly: stops earlier, needs more launches when the difference is small
};

std::string_view spending_name(Spending spending);  // "obrien-fleming", "pocock"

// The share of `alpha` (two-sided) that may be spent when `fraction` (0..1] of the units has been seen.
double alpha_spent(double fraction, double alpha, Spending spending);

// For each look, the two-sided p-value at or below which it may stop; `fractions` ascend, the last is 1. The
// chance that one of the looks alarms when there is no difference is `alpha` in all. At most 50 looks.
std::vector<double> nominal_levels(std::span<const double> fractions, double alpha, Spending spending);

}  // namespace etalon::measure

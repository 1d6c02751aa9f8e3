// Many comparisons at once: 200 operators tested at 5 % each give ten false alarms when nothing changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace etalon::measure {

enum class Family : std::uint8_t {
  kHolm,               // no false claim at all with 1 - alpha: for gates
  kBenjaminiHochberg,  // at most a share alpha of the claims is false: for a first look
};

// Adjusted p-values, in the order given: one at most alpha is a claim of the family at alpha. Holm 1979;
// Benjamini and Hochberg 1995. NaN is taken as 1.
std::vector<double> adjusted_p_values(std::span<const double> p_values, Family family);

// The confidence that the interval of one claim needs so that the intervals of all claims keep `confidence`
// together: Bonferroni's for Holm, the false coverage rate's (Benjamini and Yekutieli 2005) otherwise.
double family_confidence(double confidence, std::size_t claims, std::size_t comparisons, Family family);

}  // namespace etalon::measure

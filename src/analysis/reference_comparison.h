// A model held against another one that is known to run well: not operator by operator, since they have
// nothing in common, but by the share of each kind of work and the rate at which it is done. Pure functions,
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/profile.h"

namespace etalon::analysis {

// One kind of work in one model.
struct WorkRate {
  double ms = 0;
  double share = 0;  // of the end to end
  std::size_t operators = 0;
  std::optional<double> gflop;              // absent where the program does not tell
  std::optional<double> gflops_per_second;  // over the operators whose arithmetic is known
  std::optional<double> ms_per_gflop;
};

struct ReferenceRow {
  std::string category;
  std::optional<WorkRate> model;
  std::optional<WorkRate> reference;
  // What the model's work of this kind would take at the reference's rate; only where that rate is known on
  // both sides.
  std::optional<double> ms_at_reference_rate;
};

struct ReferenceComparison {
  std::string model;
  std::string reference;
  WorkRate model_total;
  WorkRate reference_total;
  std::vector<ReferenceRow>
      rows;  // the model's most expensive kind first, those that only the reference has last
};

ReferenceComparison compare_with_reference(const Profile& model, const Profile& reference);

// Schema "etalon.reference/1".
std::string reference_json(const ReferenceComparison& comparison);

}  // namespace etalon::analysis

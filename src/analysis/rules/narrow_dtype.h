// A narrower dtype that is slower than a wider one, in comparisons of a report: what two rules share.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {

// "int8", "float16", "float32", ... of most of the time: as the program says, else as the labels of its
// operators do; empty: unknown.
std::string dtype_of(const Profile& profile);

// Adds a finding for every comparison in which a run of `narrow` is slower than one of `wider`. A run of
// `narrow` that is compared with none of them is not evaluated.
void check_narrow_dtype(const Rule& rule, const Threshold& min_slower, std::string_view narrow,
                        std::initializer_list<std::string_view> wider, const Report& report,
                        Findings& findings);

}  // namespace etalon::analysis

// A narrower dtype that is slower than a wider one: what two rules share.
#pragma once

#include <initializer_list>
#include <string_view>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {

// A finding where the side of `narrow` is slower than one of `wider`; not evaluated where a dtype is unknown.
void check_narrow_dtype(const Rule& rule, const Threshold& min_slower, std::string_view narrow,
                        std::initializer_list<std::string_view> wider, const Comparison& comparison,
                        Findings& findings);

// Runs of `narrow` that are compared with nothing are not evaluated.
void need_comparison(const Rule& rule, std::string_view narrow, const Report& report, Findings& findings);

}  // namespace etalon::analysis

#include "analysis/profile_dtype.h"

#include <gtest/gtest.h>

namespace etalon::analysis {
namespace {

OperatorRow labelled(const std::string& dtype, double ms) {
  OperatorRow row;
  row.dtype = dtype;
  row.avg_ms = ms;
  return row;
}

TEST(ProfileDtype, the_program_wins_over_labels_and_labels_are_weighed_by_time) {
  Profile profile;
  EXPECT_EQ(dtype_of(profile), "");
  profile.operators = {labelled("F32", 1), labelled("QDU8, F32, QC8W", 2), labelled("F32", 1.5),
                       labelled("X32", 9)};
  EXPECT_EQ(dtype_of(profile), "float32");
  profile.operators[1].avg_ms = 3;
  EXPECT_EQ(dtype_of(profile), "int8");
  profile.dtype = "float16";
  EXPECT_EQ(dtype_of(profile), "float16");
}

}  // namespace
}  // namespace etalon::analysis

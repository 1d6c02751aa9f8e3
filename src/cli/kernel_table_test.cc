#include "cli/kernel_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etalon::cli {
namespace {

using ::testing::HasSubstr;

KernelRecord record(const std::string& operation, const std::string& isa, const std::string& reason, std::int64_t flops) {
  KernelRecord out;
  out.operation = operation;
  out.kernel = "f32_kernel__" + isa;
  out.isa = isa;
  out.wanted_isa = "avx512";
  out.reason = reason;
  out.shape = "1x8 -> 1x4";
  out.flops = flops;
  return out;
}

TEST(KernelTable, names_every_kernel_and_sums_up_why_better_ones_were_refused) {
  const std::string text = kernel_table({record("Add #1", "avx512", "", 100), record("Mul #1", "avx2", "too small", 300),
                                         record("Mul #2", "avx2", "too small", 600)},
                                        Console());
  EXPECT_THAT(text, HasSubstr("Add #1"));
  EXPECT_THAT(text, HasSubstr("f32_kernel__avx512"));
  EXPECT_THAT(text, HasSubstr("2 operators  90.0 % of the FLOPs  avx2 instead of avx512: too small\n"));
  EXPECT_THAT(text, HasSubstr("1 operators  10.0 % of the FLOPs  avx512\n"));
}

TEST(KernelTable, a_method_without_operators_has_an_empty_table) {
  EXPECT_THAT(kernel_table({}, Console()), HasSubstr("operator"));
}

}  // namespace
}  // namespace etalon::cli

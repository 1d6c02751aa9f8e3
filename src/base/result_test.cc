#include "base/result.h"

#include <gtest/gtest.h>

namespace etalon {
namespace {

Result<int> half_of(int value) {
  if (value % 2 != 0) return invalid_input("value is odd");
  return value / 2;
}

Result<int> quarter_of(int value) {
  ETALON_TRY(const int half, half_of(value), "first half");
  ETALON_TRY(const int quarter, half_of(half));
  return quarter;
}

Status require_even(int value) {
  ETALON_CHECKED(half_of(value).ok() ? Status() : Status(invalid_input("odd")), "checking");
  return {};
}

TEST(Result, passes_values_through_try) { EXPECT_EQ(quarter_of(8).value(), 2); }

TEST(Result, try_adds_context_outermost_first) {
  const Result<int> result = quarter_of(3);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "first half: value is odd");
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidInput);
}

TEST(Result, checked_returns_the_error_with_context) {
  EXPECT_TRUE(require_even(2).ok());
  EXPECT_EQ(require_even(1).error().message(), "checking: odd");
}

}  // namespace
}  // namespace etalon

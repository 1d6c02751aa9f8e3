#include "frontend/pt2/unsupported_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etalon::frontend {
namespace {

using testing::HasSubstr;

constexpr const char* kTrace =
    "  File \"src/net.py\", line 12, in forward\n    return self.head(x)\n"
    "  File \"lib/torch/nn/modules/linear.py\", line 134, in forward\n    return F.linear(x)\n";

TEST(UnsupportedList, names_the_users_line_not_torchs) {
  EXPECT_EQ(user_place(kTrace), "src/net.py:12 in forward");
}

TEST(UnsupportedList, has_no_place_without_a_trace) { EXPECT_EQ(user_place(""), ""); }

TEST(UnsupportedList, tells_everything_at_once) {
  UnsupportedList list;
  EXPECT_TRUE(list.empty());
  list.add("aten::foo", kTrace);
  list.add("aten::bar", "");
  list.add("aten::foo", "");
  const Error error = list.to_error();
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("2 operators that are not supported"));
  EXPECT_THAT(error.message(), HasSubstr("aten::foo (2 times, first at src/net.py:12 in forward)"));
  EXPECT_THAT(error.message(), HasSubstr("aten::bar (1 time)"));
}

}  // namespace
}  // namespace etalon::frontend

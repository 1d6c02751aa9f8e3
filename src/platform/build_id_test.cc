#include "platform/build_id.h"

#include <gtest/gtest.h>

namespace etalon::platform {
namespace {

TEST(BuildId, IsTheSameHexTextEveryTime) {
  const std::string id = build_id();
  if (id.empty()) GTEST_SKIP() << "the linker writes no build id here";
  EXPECT_GE(id.size(), 16u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(build_id(), id);
}

}  // namespace
}  // namespace etalon::platform

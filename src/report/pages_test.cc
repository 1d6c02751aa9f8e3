// Writes the three reports as pages where ETALON_PAGES names a folder: tests/report opens them in a browser.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "report/report_testing.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

TEST(Pages, are_written_for_the_browser) {
  const char* folder = std::getenv("ETALON_PAGES");
  if (folder == nullptr) GTEST_SKIP() << "ETALON_PAGES names no folder";
  const std::string to = folder;
  ASSERT_TRUE(write_file(to + "/rich.html", write_html(rich_report())).ok());
  ASSERT_TRUE(write_file(to + "/empty.html", write_html(empty_report())).ok());
  ASSERT_TRUE(write_file(to + "/hostile.html", write_html(hostile_report())).ok());
}

}  // namespace
}  // namespace etalon::report

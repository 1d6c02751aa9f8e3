#include "cli/run_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace etalon::cli {
namespace {

TEST(RunReport, percentiles_are_numpys) {
  EXPECT_DOUBLE_EQ(percentile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(percentile({7}, 0.95), 7);
  EXPECT_DOUBLE_EQ(percentile({0, 10}, 0.95), 9.5);
}

TEST(RunReport, has_the_documented_fields) {
  RunReport report;
  report.model = "m.pte";
  report.engine = report.isa = "portable";
  report.first_ms = 3;
  report.runs_ms = {2, 1, 4};
  const auto json = nlohmann::json::parse(to_json(report));
  for (const char* key : {"schema", "model", "engine", "isa", "threads", "load_ms", "first_ms", "runs_ms", "median_ms",
                          "p95_ms", "peak_rss_bytes"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["median_ms"], 2.0);
}

TEST(RunReport, what_was_not_measured_is_absent) {
  const auto json = nlohmann::json::parse(to_json(RunReport{}));
  EXPECT_FALSE(json.contains("first_ms"));
  EXPECT_FALSE(json.contains("median_ms"));
}

TEST(RunReport, a_model_name_of_any_bytes_still_gives_valid_json) {
  RunReport report;
  report.model = "bad\xff\xfename";
  EXPECT_TRUE(nlohmann::json::accept(to_json(report)));
}

}  // namespace
}  // namespace etalon::cli

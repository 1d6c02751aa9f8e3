#include "analysis/rules/rules_doc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/finding.h"
#include "base/file.h"

namespace etalon::analysis {
namespace {

TEST(RulesDoc, the_committed_page_is_what_the_rules_say) {
  const auto page = read_text_file(ETALON_SOURCE_DIR "/docs/reference/rules.md");
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(*page == rules_markdown()) << "run: etalon_rules_doc > docs/reference/rules.md";
}

TEST(RulesDoc, every_rule_has_a_section_with_its_thresholds) {
  const std::string text = rules_markdown();
  for (const Rule* rule : all_rules()) {
    EXPECT_THAT(text, ::testing::HasSubstr("\n## " + std::string(rule->doc.id) + "\n"));
    for (const Threshold* threshold : rule->thresholds) {
      EXPECT_THAT(text, ::testing::HasSubstr("| " + std::string(threshold->what) + " | "));
    }
  }
}

}  // namespace
}  // namespace etalon::analysis

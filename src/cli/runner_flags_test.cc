#include "cli/runner_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etalon::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<RunnerFlags> parse(std::vector<std::string_view> args) { return parse_runner_flags(args); }

std::string error_of(std::vector<std::string_view> args) {
  const auto flags = parse(std::move(args));
  return flags.ok() ? "ok" : flags.error().message();
}

TEST(RunnerFlags, have_executor_runners_defaults) {
  const auto flags = parse({});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->model_path, "model.pte");
  EXPECT_EQ(flags->num_executions, 1u);
  EXPECT_EQ(flags->cpu_threads, -1);
  EXPECT_EQ(flags->print_output, "summary");
  EXPECT_DOUBLE_EQ(flags->bundleio_rtol, 0.01);
}

TEST(RunnerFlags, values_follow_an_equals_sign_or_a_space_after_one_dash_or_two) {
  const auto flags = parse({"--model_path=a.pte", "-num_executions", "7", "--cpu_threads", "-1", "-trace=ops"});
  ASSERT_TRUE(flags.ok()) << flags.error().message();
  EXPECT_EQ(flags->model_path, "a.pte");
  EXPECT_EQ(flags->num_executions, 7u);
  EXPECT_EQ(flags->cpu_threads, -1);
  EXPECT_EQ(flags->trace, "ops");
}

TEST(RunnerFlags, booleans_take_no_value_or_one_behind_an_equals_sign) {
  EXPECT_TRUE(parse({"--server_mode"})->server_mode);
  EXPECT_FALSE(parse({"--server_mode", "--noserver_mode"})->server_mode);
  EXPECT_FALSE(parse({"--server_mode=false"})->server_mode);
  EXPECT_THAT(error_of({"--server_mode=maybe"}), HasSubstr("want true or false"));
}

TEST(RunnerFlags, wrong_ones_are_named) {
  EXPECT_THAT(error_of({"--modelpath=x"}), HasSubstr("unknown command line flag 'modelpath'"));
  EXPECT_THAT(error_of({"--nomodel_path"}), HasSubstr("unknown command line flag"));
  EXPECT_THAT(error_of({"model.pte"}), HasSubstr("Extra commandline args: model.pte"));
  EXPECT_THAT(error_of({"--model_path"}), HasSubstr("is missing its value"));
  EXPECT_THAT(error_of({"--num_executions=-1"}), HasSubstr("--num_executions is '-1'"));
  EXPECT_THAT(error_of({"--num_executions=5x"}), HasSubstr("want a number"));
  EXPECT_THAT(error_of({"--num_executions=99999999999"}), HasSubstr("want a number"));
  EXPECT_THAT(error_of({"--bundleio_rtol="}), HasSubstr("want a number"));
  EXPECT_THAT(error_of({"--print_output=some"}), HasSubstr("want none|summary|all"));
}

TEST(RunnerFlags, every_flag_is_in_the_help) {
  const std::string help = runner_help("etalon-runner");
  for (const char* flag : {"--model_path", "--etdump_path", "--cpu_threads", "--warmup", "--trace", "--json"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
}

TEST(RunnerFlags, lists_are_split_at_commas) {
  EXPECT_THAT(split_by_commas("a.bin,b.npy"), ElementsAre("a.bin", "b.npy"));
  EXPECT_TRUE(split_by_commas("").empty());
}

}  // namespace
}  // namespace etalon::cli

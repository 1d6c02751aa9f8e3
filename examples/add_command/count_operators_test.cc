#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/command.h"
#include "formats/pte/pte.h"

namespace etalon::cli {
extern const Command kCountOperatorsCommand;
namespace {

Result<int> run(const std::string& path) {
  CLI::App app;
  const Action action = kCountOperatorsCommand.declare(app);
  app.parse(std::vector<std::string>{path});
  Console console;
  return action(console);
}

TEST(CountOperators, counts_those_of_a_program) {
  formats::pte::ProgramToWrite program;
  formats::pte::ExecutionPlan plan;
  plan.name = "forward";
  plan.chains.resize(1);
  plan.operators = {{"aten::add", "out"}, {"aten::mul", "out"}};
  program.plans.push_back(plan);
  const auto bytes = formats::pte::encode_to_bytes(program);
  ASSERT_TRUE(bytes.ok());
  const std::string path = testing::TempDir() + "count_operators.pte";
  ASSERT_TRUE(write_file(path, Bytes(*bytes)).ok());
  testing::internal::CaptureStdout();
  const auto result = run(path);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "2\n");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, kExitOk);
}

TEST(CountOperators, a_missing_file_is_an_error_with_its_name) {
  const auto result = run("/nonexistent.pte");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(exit_code_of(result.error()), kExitUsage);
}

}  // namespace
}  // namespace etalon::cli

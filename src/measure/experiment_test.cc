#include "measure/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.h"

namespace etalon::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::string& json) {
  const auto config = parse_config(json);
  if (config.ok()) return "(accepted)";
  return config.error().message();
}

std::string with_experiment(const std::string& fields) {
  return R"({"model": "m.pte", "experiments": [{"name": "a")" + (fields.empty() ? "" : ", " + fields) + "}]}";
}

TEST(Experiment, reads_the_shape_of_the_arm_kits_files) {
  const auto config = parse_config(R"({
    "model": "out_net/artifacts/net_xnnpack_fp16.pte",
    "output_root": "out_net/runs/mac",
    "experiments": [
      {"name": "on", "runner_path": "cmake-out/on/executor_runner", "mode": "timing", "runs": 10, "warmup": 1, "threads": [1]},
      {"name": "off", "quiet_runner": "cmake-out/off/executor_runner", "mode": "xnntrace", "num_runs": 3, "num_threads": 2,
       "extra_args": ["--print_output=none"], "cpu_affinity": "0x80"}
    ],
    "analysis": {"compare_pairs": []}
  })");
  ASSERT_TRUE(config.ok()) << config.error().message();
  ASSERT_EQ(config->experiments.size(), 2U);
  const Experiment& on = config->experiments[0];
  EXPECT_EQ(on.runner_path, "cmake-out/on/executor_runner");
  EXPECT_EQ(on.runs, 10U);
  EXPECT_EQ(on.warmup, 1U);
  EXPECT_THAT(on.threads, ElementsAre(1U));
  const Experiment& off = config->experiments[1];
  EXPECT_EQ(off.runner_path, "cmake-out/off/executor_runner");
  EXPECT_EQ(off.mode, Mode::kXnntrace);
  EXPECT_EQ(off.runs, 3U);
  EXPECT_THAT(off.threads, ElementsAre(2U));
  EXPECT_THAT(off.extra_args, ElementsAre("--print_output=none"));
  EXPECT_EQ(off.cpu_mask, 0x80U);
  EXPECT_EQ(config->design, Design::kInterleaved);
}

TEST(Experiment, fills_in_the_documented_defaults) {
  const auto config = parse_config(with_experiment(""));
  ASSERT_TRUE(config.ok()) << config.error().message();
  const Experiment& experiment = config->experiments[0];
  EXPECT_EQ(experiment.runs, 100U);
  EXPECT_EQ(experiment.warmup, 10U);
  EXPECT_EQ(experiment.mode, Mode::kTiming);
  EXPECT_TRUE(experiment.runner_path.empty());
  EXPECT_EQ(config->platform, "host");
}

TEST(Experiment, names_an_unknown_field_and_the_nearest_known_one) {
  EXPECT_EQ(error_of(with_experiment(R"("thread": [1])")),
            "unknown field 'experiments[0].thread'; did you mean 'threads'?");
  EXPECT_THAT(error_of(R"({"model": "m", "experiment": []})"), HasSubstr("did you mean 'experiments'?"));
  EXPECT_THAT(error_of(with_experiment(R"("qqqqqqqqqqqqqqq": 1)")),
              HasSubstr("known fields: name, runner_path"));
}

TEST(Experiment, names_found_and_wanted_for_each_bad_value) {
  EXPECT_EQ(error_of(with_experiment(R"("runs": 0)")),
            "experiments[0].runs: found 0, want a whole number from 1 to 1000000");
  EXPECT_THAT(error_of(with_experiment(R"("runs": 2.5)")), HasSubstr("found 2.5"));
  EXPECT_THAT(error_of(with_experiment(R"("warmup": -1)")), HasSubstr("experiments[0].warmup: found -1"));
  EXPECT_THAT(error_of(with_experiment(R"("runs": "ten")")), HasSubstr("found \"ten\""));
  EXPECT_THAT(error_of(with_experiment(R"("threads": [])")), HasSubstr("empty list"));
  EXPECT_THAT(error_of(with_experiment(R"("threads": [1, 1])")), HasSubstr("1 is given twice"));
  EXPECT_THAT(error_of(with_experiment(R"("threads": [1, 99999])")), HasSubstr("experiments[0].threads[1]"));
  EXPECT_THAT(error_of(with_experiment(R"("mode": "fast")")),
              HasSubstr("want timing, xnntrace, ops or kernels"));
  EXPECT_THAT(error_of(with_experiment(R"("cpu_affinity": "zz")")), HasSubstr("want a mask such as"));
  EXPECT_THAT(error_of(with_experiment(R"("extra_args": "x")")), HasSubstr("want a list of texts"));
  EXPECT_THAT(error_of(with_experiment(R"("env": {"A": []})")), HasSubstr("experiments[0].env.A"));
  EXPECT_THAT(error_of(with_experiment(R"("power": "max")")), HasSubstr("want boost, app or leave"));
  EXPECT_THAT(error_of(R"({"model": "m", "design": "x", "experiments": [{"name": "a"}]})"),
              HasSubstr("design: found"));
}

TEST(Experiment, refuses_two_names_of_one_setting) {
  EXPECT_EQ(error_of(with_experiment(R"("runs": 1, "num_runs": 2)")),
            "experiments[0].runs and experiments[0].num_runs are the same setting; keep one");
}

TEST(Experiment, refuses_duplicates_and_absent_experiments) {
  EXPECT_THAT(error_of(R"({"model": "m", "experiments": [{"name": "a"}, {"name": "a"}]})"),
              HasSubstr("experiments[1].name: \"a\" is used twice"));
  EXPECT_THAT(error_of(R"({"model": "m", "experiments": []})"), HasSubstr("the list is empty"));
  EXPECT_THAT(error_of(R"({"model": "m"})"), HasSubstr("experiments: missing"));
  EXPECT_THAT(error_of(R"({"model": "m", "model": "n", "experiments": [{"name": "a"}]})"),
              HasSubstr("field 'model' is given twice"));
  EXPECT_THAT(error_of(R"({"experiments": [{"name": "a"}]})"), HasSubstr("model: missing"));
}

TEST(Experiment, refuses_names_that_leave_the_run_folder) {
  for (const char* name : {"../up", "a/b", ".hidden", "a\\b", "x#y"}) {
    const std::string json = std::string(R"({"model": "m", "experiments": [{"name": ")") +
                             (std::string(name) == "a\\b" ? "a\\\\b" : name) + "\"}]}";
    EXPECT_THAT(error_of(json), HasSubstr("cannot name a folder")) << name;
  }
}

TEST(Experiment, engine_and_isa_need_our_own_runner) {
  EXPECT_THAT(error_of(with_experiment(R"("runner_path": "r", "isa": "avx2")")),
              HasSubstr("experiments[0].isa: works with our own runner only"));
  EXPECT_EQ(error_of(with_experiment(R"("isa": "avx2", "engine": "portable")")), "(accepted)");
}

TEST(Experiment, checks_that_compared_runs_exist) {
  const std::string head =
      R"({"model": "m", "experiments": [{"name": "on"}, {"name": "off", "threads": [2]}], "analysis": )";
  EXPECT_THAT(error_of(head + R"({"compare_pairs": [{"baseline": {"experiment": "of", "threads": 1},
      "candidate": {"experiment": "on", "threads": 1}}]}})"),
              HasSubstr("no experiment is named \"of\"; there are on, off"));
  EXPECT_THAT(error_of(head + R"({"compare_pairs": [{"baseline": {"experiment": "off", "threads": 1},
      "candidate": {"experiment": "on", "threads": 1}}]}})"),
              HasSubstr("does not run with 1 threads; it has 2"));
  const auto config =
      parse_config(head + R"({"compare_pairs": [{"label": "x", "baseline": {"experiment": "off"},
      "candidate": {"experiment": "on", "threads": 1}}], "categories": {"Attention": ["softmax"]}}})");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->compare_pairs[0].baseline.threads, 2U);
  EXPECT_THAT(config->categories.at("Attention"), ElementsAre("softmax"));
}

TEST(Experiment, survives_hostile_json) {
  for (const std::string& text :
       {std::string(), std::string("nul"), std::string("[]"), std::string("7"), std::string("\"x\""),
        std::string("{\"model\": 7}"), std::string("{\"model\""), std::string(100000, '['),
        std::string("{\"experiments\": [null, 3]}"), std::string("{\"model\": \"\\ud800\"}"),
        std::string("{\"model\": \"m\", \"experiments\": [[[[]]]]}"), std::string("\xff\xfe\x00", 3),
        std::string("{\"model\":\"m\",\"experiments\":[{\"name\":\"a\",\"runs\":1e999}]}"),
        std::string("{\"model\":\"m\",\"experiments\":[{\"name\":\"a\",\"runs\":99999999999999999999}]}")}) {
    const auto config = parse_config(text);
    ASSERT_FALSE(config.ok()) << text.substr(0, 80);
    EXPECT_EQ(config.error().code(), ErrorCode::kInvalidInput);
    EXPECT_LT(config.error().message().size(), 400U);
  }
}

TEST(Experiment, says_where_json_is_broken) {
  EXPECT_THAT(error_of("{\n  \"model\": \"m\",\n}"), HasSubstr("line 3"));
}

class ExperimentFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "etalon_experiment_" + std::to_string(::getpid());
    ASSERT_TRUE(make_directories(folder_ + "/artifacts").ok());
    ASSERT_TRUE(write_file(folder_ + "/artifacts/net.pte", "x").ok());
    ASSERT_TRUE(write_file(folder_ + "/runner", "#!/bin/sh\n").ok());
    ::chmod((folder_ + "/runner").c_str(), 0755);
  }
  Config config(const std::string& model, const std::string& runner) {
    Config out;
    out.path = folder_ + "/config.json";
    out.model = model;
    out.experiments.emplace_back();
    out.experiments[0].name = "a";
    out.experiments[0].runner_path = runner;
    return out;
  }
  std::string folder_;
};

TEST_F(ExperimentFiles, paths_may_be_relative_to_the_configuration) {
  Config found = config("artifacts/net.pte", "runner");
  found.output_root = "out_<model>/runs/x";
  const Status status = check_files(found);
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_EQ(found.model, folder_ + "/artifacts/net.pte");
  EXPECT_EQ(found.experiments[0].runner_path, folder_ + "/runner");
  EXPECT_EQ(found.output_root, "out_net/runs/x");
}

TEST_F(ExperimentFiles, a_missing_model_is_found_before_anything_runs) {
  Config missing = config("artifacts/other.pte", "");
  const Status status = check_files(missing);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(status.error().message(), HasSubstr("model: artifacts/other.pte: no such file"));
}

TEST_F(ExperimentFiles, a_missing_or_dead_runner_is_found_before_anything_runs) {
  Config missing = config("artifacts/net.pte", "no_runner");
  EXPECT_THAT(check_files(missing).error().message(),
              HasSubstr("experiments[0].runner_path: no_runner: no such runner"));
  Config dead = config("artifacts/net.pte", "artifacts/net.pte");
  EXPECT_THAT(check_files(dead).error().message(), HasSubstr("is not executable"));
}

TEST_F(ExperimentFiles, an_unknown_platform_is_a_clear_answer) {
  Config elsewhere = config("artifacts/net.pte", "");
  elsewhere.platform = "adb:1234";
  EXPECT_EQ(check_files(elsewhere).error().code(), ErrorCode::kUnsupported);
}

TEST_F(ExperimentFiles, results_go_beside_the_artifacts_folder) {
  EXPECT_EQ(default_output_root("x/out_net/artifacts/net.pte", "linux"), "x/out_net/runs/linux");
  EXPECT_EQ(default_output_root("artifacts/net.pte", "linux"), "runs/linux");
  EXPECT_EQ(default_output_root("models/net_fp32.pte", "linux"), "out_net_fp32/runs/linux");
}

TEST(Experiment, power_settings_are_refused_where_there_are_none) {
  const std::string model = ::testing::TempDir() + "etalon_power_" + std::to_string(::getpid()) + ".pte";
  ASSERT_TRUE(write_file(model, std::string_view("model")).ok());
  for (const std::string power : {"boost", "leave"}) {
    auto config = parse_config(R"({"model": ")" + model + R"(", "experiments": [{"name": "a", "power": ")" + power +
                               R"("}]})");
    ASSERT_TRUE(config.ok()) << config.error().message();
    const Status checked = check_files(*config);
    EXPECT_EQ(checked.ok(), power == "leave");
    if (checked.ok()) continue;
    EXPECT_EQ(checked.error().code(), ErrorCode::kUnsupported);
    EXPECT_THAT(checked.error().message(), ::testing::HasSubstr("experiments[0].power: found \"boost\""));
  }
  ::unlink(model.c_str());
}

}  // namespace
}  // namespace etalon::measure

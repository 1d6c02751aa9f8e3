#include "analysis/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analysis/events.h"
#include "analysis/profile_testing.h"
#include "analysis/timed_recording.h"

namespace etalon::analysis {
namespace {

using formats::etdump::EtDump;
using formats::etdump::RunData;

RunData delegate_run() {
  return Recording("Execute")
      .delegate("Convolution (NHWC, F32) IGEMM #1", 0, 10'000, 40'000)
      .delegate("Static Reshape (NC) #1", 0, 40'000, 40'000)
      .delegate("Convolution (NHWC, F32) IGEMM #2", 0, 40'000, 60'000)
      .event("DELEGATE_CALL", 0, 9'000, 62'000)
      .event("native_call_softmax.out", 1, 63'000, 68'000)
      .event("OPERATOR_CALL", 1, 62'500, 69'000)
      .execute(0, 70'000)
      .run();
}

Profile profile_of(const EtDump& dump, const ProfileOptions& options = {}) {
  auto profile = make_profile(dump, SourceMap(), Taxonomy(), options);
  EXPECT_TRUE(profile.ok());
  return profile.ok() ? *profile : Profile();
}

const OperatorRow& row_named(const Profile& profile, const std::string& name) {
  for (const OperatorRow& row : profile.operators) {
    if (row.name == name) return row;
  }
  ADD_FAILURE() << "no row " << name;
  static const OperatorRow none;
  return none;
}

std::int64_t exclusive_sum(const TimedRun& run) {
  std::int64_t sum = 0;
  for (const TimedEvent& event : run.events) sum += event.exclusive_ns;
  return sum;
}

TEST(Events, exclusive_times_sum_to_the_whole_run) {
  for (const RunData& run : {portable_run(), delegate_run()}) {
    const TimedRun timed = time_run(run);
    EXPECT_EQ(exclusive_sum(timed), timed.total_ns());
  }
}

TEST(Events, a_kernel_inside_a_kernel_is_counted_once) {
  const RunData run = Recording("Execute")
                          .event("native_call_inner.out", 0, 20, 50)
                          .event("native_call_outer.out", 0, 10, 60)
                          .event("OPERATOR_CALL", 0, 8, 61)
                          .execute(0, 70)
                          .run();
  const TimedRun timed = time_run(run);
  EXPECT_EQ(timed.events[0].exclusive_ns, 30);
  EXPECT_EQ(timed.events[1].exclusive_ns, 20);
  EXPECT_EQ(timed.events[2].exclusive_ns, 3);
  EXPECT_EQ(timed.events[3].exclusive_ns, 17);
}

TEST(Events, an_instruction_nobody_looked_inside_of_is_an_operator) {
  const RunData run = Recording("Execute")
                          .event("OPERATOR_CALL", 0, 0, 7)
                          .event("DELEGATE_CALL", 1, 7, 20)
                          .execute(0, 21)
                          .run();
  const TimedRun timed = time_run(run);
  EXPECT_EQ(timed.events[0].part, Part::kOperator);
  EXPECT_EQ(timed.events[1].part, Part::kOperator);
  EXPECT_EQ(exclusive_sum(timed), 21);
}

TEST(Events, jumps_and_moves_are_framework) {
  const TimedRun timed = time_run(
      Recording("Execute").event("JF_CALL", 0, 0, 1).event("MOVE_CALL", 1, 1, 2).execute(0, 5).run());
  EXPECT_EQ(timed.events[0].part, Part::kFramework);
  EXPECT_EQ(timed.events[1].part, Part::kFramework);
}

TEST(Events, a_wrapped_32_bit_clock_is_unwrapped_and_other_reversals_are_left_out) {
  const RunData run = Recording("Execute")
                          .event("native_call_a.out", 0, 0xFFFFFFFFU, 9)
                          .event("native_call_b.out", 1, std::uint64_t{1} << 40, 7)
                          .execute(0, 1000)
                          .run();
  const TimedRun timed = time_run(run);
  ASSERT_EQ(timed.events.size(), 2U);
  EXPECT_EQ(timed.events[0].duration_ns, 10);
  EXPECT_EQ(timed.unusable_events, 1U);
}

TEST(Events, extreme_times_do_not_overflow) {
  const RunData run = Recording("Execute")
                          .event("native_call_a.out", 0, 0, ~std::uint64_t{0})
                          .event("OPERATOR_CALL", 0, 0, ~std::uint64_t{0})
                          .execute(0, ~std::uint64_t{0} - 1)
                          .run();
  EXPECT_EQ(time_run(run).unusable_events, 3U);
}

TEST(Profile, traced_parts_add_up_without_an_untraced_run) {
  const Profile profile = profile_of(dump_of({portable_run(1'000), portable_run(1'000)}));
  const Accounting& account = profile.accounting;
  EXPECT_NEAR(account.operators_ms, 0.060, 1e-12);
  EXPECT_NEAR(account.framework_ms, 0.014, 1e-12);
  EXPECT_NEAR(account.residual_ms, 0.026, 1e-12);
  EXPECT_DOUBLE_EQ(account.end_to_end_ms, 0.100);
  EXPECT_FALSE(account.untraced_ms.has_value());
  EXPECT_FALSE(account.trace_overhead.has_value());
}

TEST(Profile, operator_times_are_scaled_to_the_untraced_run_and_still_add_up) {
  ProfileOptions options;
  options.untraced_ms = 0.080;
  const Profile profile = profile_of(dump_of({portable_run(1'000)}), options);
  const Accounting& account = profile.accounting;
  EXPECT_DOUBLE_EQ(account.operators_ms + account.framework_ms + account.residual_ms, 0.080);
  EXPECT_NEAR(account.operators_ms, 0.048, 1e-12);
  EXPECT_NEAR(*account.trace_overhead, 0.25, 1e-12);
  const OperatorRow& row = row_named(profile, "native_call_convolution.out");
  EXPECT_NEAR(row.avg_ms, 0.040, 1e-12);
  EXPECT_NEAR(row.traced_avg_ms, 0.050, 1e-12);
  EXPECT_NEAR(row.share, 0.5, 1e-12);
  EXPECT_EQ(row.op_type, "convolution.out");
  EXPECT_EQ(row.backend, "portable");
}

TEST(Profile, what_lies_around_execute_becomes_residual) {
  ProfileOptions options;
  options.untraced_ms = 0.2;
  options.traced_ms = 0.2;  // the runner's clock: twice Method::execute
  const Accounting account = profile_of(dump_of({portable_run(1'000)}), options).accounting;
  EXPECT_NEAR(account.operators_ms, 0.060, 1e-12);
  EXPECT_NEAR(account.residual_ms, 0.126, 1e-12);
}

TEST(Profile, delegate_events_are_rows_and_their_call_is_framework) {
  const Profile profile = profile_of(dump_of({delegate_run(), delegate_run(), delegate_run()}));
  EXPECT_EQ(profile.operators.size(), 4U);
  const OperatorRow& row = row_named(profile, "Convolution (NHWC, F32) IGEMM #1");
  EXPECT_NEAR(row.traced_avg_ms, 0.030, 1e-12);
  EXPECT_TRUE(row.delegated);
  EXPECT_EQ(row.backend, "delegated");
  EXPECT_EQ(row.dtype, "F32");
  EXPECT_EQ(row.kernel_hint, "IGEMM");
  EXPECT_EQ(row.category, "Convolution");
  EXPECT_NEAR(profile.accounting.framework_ms, 0.003 + 0.0015, 1e-12);
  EXPECT_TRUE(profile.microsecond_events);
}

TEST(Profile, categories_sum_to_the_operators) {
  const Profile profile = profile_of(dump_of({delegate_run()}));
  double sum = 0;
  for (const CategoryRow& row : profile.categories) sum += row.ms;
  EXPECT_NEAR(sum, profile.accounting.operators_ms, 1e-12);
  EXPECT_EQ(profile.categories.front().name, "Convolution");
  EXPECT_EQ(profile.categories.front().operators, 2U);
}

TEST(Profile, the_cold_run_is_reported_apart) {
  const Profile profile =
      profile_of(dump_of({portable_run(50'000), portable_run(1'000), portable_run(1'000)}));
  EXPECT_EQ(profile.cold_runs, 1U);
  EXPECT_EQ(profile.steady_runs, 2U);
  EXPECT_DOUBLE_EQ(*profile.cold_ms, 5.0);
  EXPECT_DOUBLE_EQ(profile.accounting.traced_ms, 0.1);
}

TEST(Profile, told_warmup_runs_are_left_out_and_one_run_always_remains) {
  ProfileOptions options;
  options.warmup_runs = 2;
  const EtDump dump = dump_of({portable_run(9'000), portable_run(9'000), portable_run(1'000)});
  EXPECT_DOUBLE_EQ(profile_of(dump, options).accounting.traced_ms, 0.1);
  options.warmup_runs = 99;
  EXPECT_EQ(profile_of(dump, options).steady_runs, 1U);
  options.warmup_runs = 0;
  const Profile all = profile_of(dump, options);
  EXPECT_EQ(all.steady_runs, 3U);
  EXPECT_FALSE(all.cold_ms.has_value());
}

TEST(Profile, repeated_instructions_share_a_row_and_are_counted) {
  const RunData run = Recording("Execute")
                          .event("native_call_add.out", 3, 0, 10)
                          .event("OPERATOR_CALL", 3, 0, 10)
                          .event("native_call_add.out", 3, 20, 40)
                          .event("OPERATOR_CALL", 3, 20, 40)
                          .execute(0, 40)
                          .run();
  const Profile profile = profile_of(dump_of({run}));
  ASSERT_EQ(profile.operators.size(), 1U);
  EXPECT_DOUBLE_EQ(profile.operators[0].calls, 2);
  EXPECT_NEAR(profile.operators[0].traced_avg_ms, 30e-6, 1e-15);
}

TEST(Profile, a_run_without_an_operator_counts_as_zero_for_it) {
  const RunData other = Recording("Execute")
                            .event("native_call_mul.out", 0, 0, 100)
                            .event("OPERATOR_CALL", 0, 0, 100)
                            .execute(0, 100)
                            .run();
  ProfileOptions options;
  options.warmup_runs = 0;
  const Profile profile = profile_of(dump_of({portable_run(), other}), options);
  EXPECT_NEAR(row_named(profile, "native_call_mul.out").traced_avg_ms, 50e-6, 1e-15);
  EXPECT_NEAR(row_named(profile, "native_call_convolution.out").traced_avg_ms, 25e-6, 1e-15);
}

TEST(Profile, a_dump_cut_before_the_end_of_the_run_still_adds_up) {
  const RunData run =
      Recording("Execute").event("native_call_add.out", 0, 2, 10).event("OPERATOR_CALL", 0, 0, 11).run();
  const Accounting account = profile_of(dump_of({run})).accounting;
  EXPECT_NEAR(account.end_to_end_ms, 11e-6, 1e-15);
  EXPECT_NEAR(account.residual_ms, 0, 1e-15);
}

TEST(Profile, a_recording_without_executions_is_an_error) {
  const RunData load = Recording("Default")
                           .event("Method::init", 0, 1, 5, -1)
                           .event("Program::load_method", 0, 0, 6, -1)
                           .run();
  const auto profile = make_profile(dump_of({load}), SourceMap(), Taxonomy(), {});
  ASSERT_FALSE(profile.ok());
  EXPECT_EQ(profile.error().code(), ErrorCode::kInvalidInput);
}

TEST(Profile, loading_is_reported_and_not_counted_in_runs) {
  const RunData load = Recording("Default")
                           .event("Method::init", 0, 1, 5'000'000, -1)
                           .event("Program::load_method", 0, 0, 6'000'000, -1)
                           .run();
  const Profile profile = profile_of(dump_of({load, portable_run()}));
  EXPECT_DOUBLE_EQ(*profile.load_ms, 6.0);
  EXPECT_NEAR(profile.accounting.end_to_end_ms, 100e-6, 1e-15);
  EXPECT_FALSE(profile_of(dump_of({portable_run()})).load_ms.has_value());
}

TEST(Profile, a_run_that_was_interrupted_does_not_decide_where_the_time_goes) {
  std::vector<RunData> runs(10, portable_run(1'000));
  runs[4] = Recording("Execute")
                .event("native_call_convolution.out", 0, 10'000, 60'000)
                .event("OPERATOR_CALL", 0, 5'000, 65'000)
                .event("native_call_relu.out", 1, 70'000, 9'080'000)
                .event("OPERATOR_CALL", 1, 68'000, 9'082'000)
                .execute(0, 9'100'000)
                .run();
  ProfileOptions options;
  options.warmup_runs = 0;
  options.untraced_ms = 0.1;
  options.traced_median_ms = 0.1;
  const Profile profile = profile_of(dump_of(runs), options);
  EXPECT_NEAR(row_named(profile, "native_call_relu.out").avg_ms, 0.010, 1e-12);
  EXPECT_NEAR(row_named(profile, "native_call_relu.out").traced_avg_ms, 0.91, 1e-9);
  EXPECT_NEAR(profile.accounting.scale, 1, 1e-12);
  EXPECT_NEAR(profile.accounting.residual_ms, 0.026, 1e-12);
}

TEST(Profile, processes_are_told_apart_and_each_warms_up) {
  ProfileOptions options;
  options.launch_runs = {3, 2};
  options.warmup_runs = 1;
  const EtDump dump =
      dump_of({portable_run(9'000), portable_run(1'000), portable_run(1'000), portable_run(9'000), portable_run(3'000)});
  const Profile profile = profile_of(dump, options);
  EXPECT_EQ(profile.cold_runs, 2U);
  EXPECT_THAT(profile.launch_runs, testing::ElementsAre(2, 1));
  EXPECT_THAT(row_named(profile, "native_call_convolution.out").launch_ms,
              testing::ElementsAre(testing::DoubleNear(0.05, 1e-12), testing::DoubleNear(0.15, 1e-12)));
  options.launch_runs = {4, 4};  // not of this recording
  EXPECT_EQ(profile_of(dump, options).launch_runs.size(), 1U);
}

TEST(Profile, an_operator_of_the_cold_run_only_is_no_operator_of_the_model) {
  const RunData cold = Recording("Execute").event("native_call_init.out", 7, 0, 10).event("OPERATOR_CALL", 7, 0, 10).execute(0, 20).run();
  const Profile profile = profile_of(dump_of({cold, portable_run(), portable_run()}));
  EXPECT_EQ(profile.operators.size(), 2U);
}

TEST(Profile, the_cost_of_an_event_follows_from_traced_and_untraced_runs) {
  ProfileOptions options;
  options.warmup_runs = 0;
  options.untraced_ms = 0.100;
  options.traced_median_ms = 0.105;
  const Profile profile = profile_of(dump_of({portable_run(1'050), portable_run(1'050)}), options);
  ASSERT_TRUE(profile.trace_cost.has_value());
  EXPECT_EQ(profile.trace_cost->events, 5U);
  EXPECT_NEAR(profile.trace_cost->ns_per_event, 1000, 1e-6);
  options.untraced_ms = 0.2;  // faster with tracing than without: noise
  EXPECT_FALSE(profile_of(dump_of({portable_run(1'050), portable_run(1'050)}), options).trace_cost.has_value());
}

TEST(Profile, operators_shorter_than_twenty_ticks_of_a_delegates_clock_are_marked) {
  const Profile profile = profile_of(dump_of({delegate_run()}));
  EXPECT_TRUE(row_named(profile, "Static Reshape (NC) #1").below_resolution);
  EXPECT_FALSE(row_named(profile, "Convolution (NHWC, F32) IGEMM #1").below_resolution);
  EXPECT_FALSE(row_named(profile, "native_call_softmax.out").below_resolution);
}

TEST(RunChoice, medians_count_what_is_missing_as_zero) {
  EXPECT_DOUBLE_EQ(median_of({4, 2}, {0, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median_of({4, 2}, {0, 1, 2, 3}), 1);
  EXPECT_DOUBLE_EQ(mean_of({4, 2}, {0, 1, 2}), 2);
}

TEST(RunChoice, the_middle_half_is_taken_from_eight_runs_on) {
  const std::vector<double> totals = {9, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_THAT(choose_runs(totals, {}, 1).typical, testing::ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(choose_runs({9, 1, 2, 3}, {}, 1).typical.size(), 3U);
}

TEST(Timeline, rows_of_a_run_sum_to_100_percent) {
  const std::vector<TimelineRow> rows = make_timeline(dump_of({delegate_run(), delegate_run()}), SourceMap());
  ASSERT_EQ(rows.size(), 14U);
  double first = 0;
  for (const TimelineRow& row : rows) first += row.run_index == 0 ? row.percent_of_run : 0;
  EXPECT_NEAR(first, 100, 1e-9);
  EXPECT_EQ(rows[0].node_id, rows[1].node_id);
  EXPECT_EQ(rows[0].type, "Convolution (NHWC, F32) IGEMM");
  EXPECT_EQ(rows[1].run_index, 1U);
}

TEST(Taxonomy, knows_kernels_and_delegate_labels) {
  const Taxonomy taxonomy;
  EXPECT_EQ(taxonomy.category_of("native_call_convolution.out"), "Convolution");
  EXPECT_EQ(taxonomy.category_of("Convolution (NHWC, QC8) DWConv #12"), "Convolution");
  EXPECT_EQ(taxonomy.category_of("Fully Connected (NC, F32) GEMM #1"), "GEMM");
  EXPECT_EQ(taxonomy.category_of("native_call_addmm.out"), "GEMM");
  EXPECT_EQ(taxonomy.category_of("native_call_permute_copy.out"), "Data Movement");
  EXPECT_EQ(taxonomy.category_of("Transpose (ND, X32) #3"), "Data Movement");
  EXPECT_EQ(taxonomy.category_of("native_call__to_dim_order_copy.out"), "Data Movement");
  EXPECT_EQ(taxonomy.category_of("native_call_add.out"), "Elementwise");
  EXPECT_EQ(taxonomy.category_of("aten::hardtanh.out"), "Elementwise");
  EXPECT_EQ(taxonomy.category_of("native_call_native_layer_norm.out"), "Other");
  EXPECT_EQ(taxonomy.category_of("something new"), "Other");
}

TEST(Taxonomy, users_refine_it) {
  const Taxonomy taxonomy({{"Normalization", {"native_layer_norm"}}, {"GEMM", {"aten::my_gemm.out", "add"}}});
  EXPECT_EQ(taxonomy.category_of("native_call_native_layer_norm.out"), "Normalization");
  EXPECT_EQ(taxonomy.category_of("aten::my_gemm.out"), "GEMM");
  EXPECT_EQ(taxonomy.category_of("native_call_add.out"), "GEMM");
}

TEST(Taxonomy, every_name_stands_in_one_category_only) {
  std::map<std::string, int> seen;
#define ETALON_CATEGORY(category, ...) \
  for (const char* name : {__VA_ARGS__}) ++seen[name];
#include "analysis/taxonomy.def"
#undef ETALON_CATEGORY
  for (const auto& [name, count] : seen) {
    EXPECT_EQ(count, 1) << name;
    EXPECT_EQ(operator_base_name(name), name);
  }
}

}  // namespace
}  // namespace etalon::analysis

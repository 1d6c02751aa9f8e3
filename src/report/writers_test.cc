#include "report/writers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>

#include "analysis/profile_testing.h"
#include "report/report_testing.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Report;
using ::testing::HasSubstr;
using ::testing::Not;

// One recorded profile whose numbers are known.
Report recorded() {
  Report report;
  report.run_dir = "runs/linux";
  report.model = "net.pte";
  analysis::ProfileOptions options;
  options.untraced_ms = 0.08;
  auto profile = analysis::make_profile(
      analysis::dump_of({analysis::portable_run(5'000), analysis::portable_run(1'000)}),
      analysis::SourceMap(), analysis::Taxonomy(), options);
  EXPECT_TRUE(profile.ok());
  profile->name = "fast, 1 thread";
  profile->experiment = "fast";
  profile->threads = 1;
  profile->etdump = "runs/linux/fast/net_fast_t1.etdump";
  analysis::RunResult result;
  result.experiment = "fast";
  result.latency_ms = {0.08};
  result.median_ms = 0.08;
  report.manifest.results = {result};
  report.profiles = {*profile};
  return report;
}

// Formats that tell of findings; the others are operators or events.
const std::vector<std::string_view> kFindingFormats = {"terminal", "markdown", "html", "json", "bundle"};

TEST(Writers, every_finding_of_every_rule_is_in_every_text_format) {
  const Report report = rich_report();
  ASSERT_EQ(report.findings.found.size(), analysis::all_rules().size());
  for (const std::string_view format : kFindingFormats) {
    const std::string text = find_writer(format)->write(report);
    for (const analysis::Finding& finding : report.findings.found) {
      EXPECT_THAT(text, HasSubstr(std::string(finding.rule->id))) << format;
    }
  }
}

TEST(Writers, names_and_files_of_the_list_are_unique) {
  std::set<std::string_view> seen;
  for (const Writer& writer : all_writers()) {
    EXPECT_TRUE(seen.insert(writer.format).second) << writer.format;
    EXPECT_TRUE(seen.insert(writer.file).second) << writer.file;
  }
  EXPECT_EQ(find_writer("pdf"), nullptr);
}

TEST(Writers, every_json_format_is_json_for_every_report) {
  for (const Report& report : {rich_report(), empty_report(), hostile_report()}) {
    for (const Writer& writer : all_writers()) {
      if (!writer.file.ends_with(".json")) continue;
      EXPECT_FALSE(nlohmann::json::parse(writer.write(report), nullptr, false).is_discarded()) << writer.format;
    }
  }
}

TEST(Writers, an_empty_report_is_still_well_formed) {
  const Report empty;
  EXPECT_THAT(write_terminal(empty, {}), HasSubstr("none"));
  EXPECT_THAT(write_markdown(empty), HasSubstr("None."));
  EXPECT_THAT(write_html(empty), HasSubstr("None."));
  const std::string csv = write_csv(empty);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1);
}

TEST(Writers, hostile_names_break_no_format) {
  const Report report = hostile_report();
  EXPECT_THAT(write_terminal(report, {}), Not(HasSubstr("\x1b")));
  const std::string markdown = write_markdown(report);
  EXPECT_THAT(markdown, Not(HasSubstr("\x1b")));
  EXPECT_THAT(markdown, HasSubstr("a\\|b\\`c"));
  EXPECT_THAT(markdown, Not(HasSubstr("<script>alert")));
}

TEST(Markdown, every_row_of_a_table_has_as_many_cells_as_its_heading) {
  for (const Report& report : {rich_report(), hostile_report()}) {
    std::size_t cells = 0;
    std::istringstream lines(write_markdown(report));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("|")) {
        cells = 0;
        continue;
      }
      std::size_t bars = 0;
      for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') ++i;
        else if (line[i] == '|') ++bars;
      }
      if (cells == 0) cells = bars;
      EXPECT_EQ(bars, cells) << line.substr(0, 200);
    }
  }
}

TEST(Json, holds_the_verdict_the_waterfall_and_the_advice) {
  const auto root = nlohmann::json::parse(write_json(rich_report()));
  const auto& comparison = root["comparisons"][0];
  EXPECT_EQ(comparison["verdict"]["claim"], "faster");
  EXPECT_EQ(comparison["waterfall"].size(), 8U);
  double sum = comparison["baseline_ms"].get<double>();
  for (const auto& step : comparison["waterfall"]) sum += step["delta_ms"].get<double>();
  EXPECT_NEAR(sum, comparison["candidate_ms"].get<double>(), 0.06);
  EXPECT_EQ(root["advice"].size(), 3U);
  EXPECT_EQ(root["advice"][1]["outcome"], "rejected");
  EXPECT_FALSE(root["advice"][2].contains("baseline_ms"));
  EXPECT_EQ(root["table"]["cells"].size(), 2U);
  // An infinite signal to noise (equal outputs) is no number in JSON.
  EXPECT_FALSE(comparison["operators"][0].contains("snr_db"));
  EXPECT_EQ(root["operator_details"][0]["shape"], "1x56x56x64 -> 1x56x56x128");
}

TEST(Csv, every_operator_of_a_hostile_report_is_one_record_of_as_many_cells) {
  const Report report = hostile_report();
  const std::string text = write_csv(report);
  std::size_t records = 0, commas = 0;
  std::vector<std::size_t> counts;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ',') ++commas;
    if (c != '\n') continue;
    counts.push_back(std::exchange(commas, 0));
    ++records;
  }
  EXPECT_EQ(records, 1 + report.profiles[0].operators.size() + report.profiles[1].operators.size());
  EXPECT_EQ(std::count(counts.begin(), counts.end(), counts[0]), static_cast<std::ptrdiff_t>(records));
}

TEST(Bundle, holds_the_raw_samples_from_which_the_verdict_can_be_computed_again) {
  const auto root = nlohmann::json::parse(write_bundle(rich_report()));
  EXPECT_EQ(root["schema"], "etalon.bundle/1");
  EXPECT_EQ(root["report"], nlohmann::json::parse(write_json(rich_report())));
  EXPECT_TRUE(root.contains("manifest"));
  ASSERT_EQ(root["samples"].size(), 2U);
  EXPECT_EQ(root["samples"][0]["schema"], "etalon.samples/1");
}

TEST(Writers, the_json_keeps_the_kits_names_and_adds_up) {
  const auto root = nlohmann::json::parse(write_json(recorded()));
  for (const char* name :
       {"schema", "run_dir", "model", "etdump_count", "category_totals_ms", "kernel_hints", "per_etdump",
        "csv_files", "operator_details", "accounting", "comparisons", "findings"}) {
    EXPECT_TRUE(root.contains(name)) << name;
  }
  const auto& account = root["accounting"];
  const double sum = account["operators_ms"].get<double>() + account["framework_ms"].get<double>() +
                     account["residual_ms"].get<double>();
  EXPECT_NEAR(sum, account["untraced_end_to_end_ms"].get<double>(), 1e-12);
  for (const char* name : {"etdump", "categories_ms", "rows", "csv_timeline", "csv_stats"}) {
    EXPECT_TRUE(root["per_etdump"][0].contains(name)) << name;
  }
  for (const char* name :
       {"name", "op_type", "category", "delegated", "backend", "avg_ms", "median_ms", "share", "calls"}) {
    EXPECT_TRUE(root["operator_details"][0].contains(name)) << name;
  }
  // Not measured means absent.
  EXPECT_FALSE(root["operator_details"][0].contains("kernel_hint"));
  EXPECT_FALSE(root["operator_details"][0].contains("source"));
  EXPECT_FALSE(root["accounting"].contains("load_ms"));
}

TEST(Writers, the_terminal_shows_each_category_and_the_whole) {
  const std::string text = write_terminal(recorded(), {});
  for (const char* part :
       {"Convolution", "Elementwise", "framework", "residual", "end to end", "100.0 %", "Top operators"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  Style colour;
  colour.colour = true;
  EXPECT_THAT(write_terminal(recorded(), colour), HasSubstr("\033[1m"));
}

TEST(Csv, columns_start_with_the_kits) {
  EXPECT_TRUE(kTimelineHeader.starts_with(
      "model_id,name,type,delegate_backend,start_us,end_us,duration_ms,pct_total,node_id,run_index,block"));
  EXPECT_TRUE(
      kStatsHeader.starts_with("model_id,name,type,delegate_backend,count,total_ms,avg_ms,pct_total"));
  EXPECT_TRUE(kKernelsHeader.starts_with(
      "model_id,kernel_name,category,count,dtype,xnn_op,variant,ukernel_shape,arch_chain,has_sme,has_sme2"));
}

TEST(Csv, statistics_sum_to_the_end_to_end) {
  const Report report = recorded();
  const std::string text = write_stats_csv("net", report.profiles[0]);
  EXPECT_THAT(text, HasSubstr("net,native_call_convolution.out,native_call_convolution.out,portable,1,0."
                              "040000,0.040000,50.0000,Convolution\n"));
  EXPECT_THAT(text, HasSubstr("framework"));
  EXPECT_THAT(text, HasSubstr("residual"));
}

TEST(Csv, the_kernel_of_an_operator_comes_back_as_it_was_written) {
  analysis::KernelRow row = analysis::kernel_row("f32_gemm_minmax_ukernel_7x32__avx512f");
  EXPECT_EQ(row.dtype, "f32");
  EXPECT_EQ(row.variant, "minmax");
  EXPECT_EQ(row.shape, "7x32");
  row.instruction = 4;
  row.operation = "Fully Connected (NC, F32) GEMM #1";
  row.isa = "avx512";
  row.wanted_isa = "avx512bf16";
  row.reason = "exact arithmetic was asked for, \"fast\" was not";
  row.tile = "7x32";
  row.operator_shape = "1x8 -> 1x4";
  row.threads = 2;
  const auto back = analysis::read_kernels_csv(write_kernels_csv("net", {row}));
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].operation, row.operation);
  EXPECT_EQ(back[0].reason, row.reason);
  EXPECT_EQ(back[0].shape, row.operator_shape);
  EXPECT_EQ(back[0].threads, 2U);
  EXPECT_EQ(back[0].instruction, 4);
}

TEST(Csv, kernels_of_an_xnnpack_log) {
  const auto kernels = analysis::kernels_in_log(
      "Using gemm microkernel 'xnn_f32_gemm_minmax_ukernel_4x8__aarch64_neonfma_cortex_a75'\n"
      "noise\nUsing transposec microkernel 'xnn_x32_transposec_ukernel__4x4_sse'\n"
      "I: Using gemm microkernel 'xnn_f32_gemm_minmax_ukernel_4x8__aarch64_neonfma_cortex_a75'\n"
      "Using igemm microkernel 'xnn_f16_igemm_minmax_ukernel_32x32__sme2'\nUsing x microkernel 'cut");
  ASSERT_EQ(kernels.size(), 3U);
  EXPECT_EQ(kernels[0].count, 2U);
  const std::string text = write_kernels_csv("net", kernels);
  EXPECT_THAT(
      text,
      HasSubstr("net,xnn_f32_gemm_minmax_ukernel_4x8__aarch64_neonfma_cortex_a75,gemm,2,f32,gemm,minmax,4x8,"
                "aarch64_neonfma_cortex_a75,0,0,"));
  EXPECT_THAT(text, HasSubstr(",sme2,1,1,"));
  EXPECT_THAT(text, HasSubstr(",transpose,1,"));
  EXPECT_EQ(analysis::kernel_hints(kernels).at("neonfma"), 2U);
}

TEST(Text, numbers_have_units_that_fit) {
  EXPECT_EQ(milliseconds(1234.5), "1234 ms");
  EXPECT_EQ(milliseconds(12.345), "12.35 ms");
  EXPECT_EQ(milliseconds(0.0123), "12.30 us");
  EXPECT_EQ(percent(0.1234), "12.3 %");
}

TEST(Text, long_names_are_cut_at_whole_characters) {
  EXPECT_EQ(shown("abcdef", 4), "abc~");
  EXPECT_EQ(shown("abcd", 4), "abcd");
  EXPECT_EQ(shown("\xc3\xa9\xc3\xa9\xc3\xa9", 2), "\xc3\xa9~");
  EXPECT_EQ(shown("a\nb\x7f", 10), "a?b?");
}

}  // namespace
}  // namespace etalon::report

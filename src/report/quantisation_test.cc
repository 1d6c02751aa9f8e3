#include "report/quantisation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace etalon::report {
namespace {

using analysis::QuantisationSweep;
using analysis::SweepCandidate;
using testing::HasSubstr;
using testing::Not;

SweepCandidate candidate(const std::string& name, double ms, std::optional<double> snr) {
  SweepCandidate out;
  out.name = name;
  out.what = "static";
  out.command = "--dtype int8";
  out.ms = ms;
  out.ms_interval = measure::Interval{ms * 0.99, ms * 1.01};
  out.snr_db = snr;
  out.agreeing = 99;
  out.bytes = 2'500'000;
  return out;
}

QuantisationSweep sweep_of(std::vector<SweepCandidate> candidates) {
  QuantisationSweep sweep;
  sweep.model = "zoo:toy";
  sweep.machine = "native engine";
  sweep.samples = 100;
  sweep.candidates = std::move(candidates);
  return sweep;
}

TEST(Quantisation, table_tells_every_candidate_with_what_beats_it) {
  QuantisationSweep sweep = sweep_of({candidate("fp32", 10, std::numeric_limits<double>::infinity()),
                                      candidate("int8", 4, 30), candidate("int8 minmax", 4.1, 25)});
  sweep.candidates[2].dominated_by = 1;
  sweep.recommended = 1;
  sweep.why = "the fastest";
  sweep.left_out.emplace_back("fp16", "no kernel for aten::x");
  const std::string text = write_sweep_terminal(sweep, {});
  EXPECT_THAT(text, HasSubstr("beaten by b"));
  EXPECT_THAT(text, HasSubstr("recommended: int8 (static): the fastest"));
  EXPECT_THAT(text, HasSubstr("not tried: fp16: no kernel for aten::x"));
  EXPECT_THAT(text, HasSubstr("exact"));
  EXPECT_THAT(text, HasSubstr("99.00 %"));
}

TEST(Quantisation, scatter_puts_the_exact_on_top_and_the_fast_to_the_left) {
  const QuantisationSweep sweep = sweep_of({candidate("fp32", 10, std::numeric_limits<double>::infinity()),
                                            candidate("int8", 5, 30), candidate("rough", 2.5, 10)});
  const std::string text = write_sweep_terminal(sweep, {});
  const auto row_of = [&](const std::string& start) {
    const std::size_t at = text.find(start + " |");
    return at == std::string::npos ? std::string() : text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(row_of("exact").back(), 'a');
  const std::string top = row_of("30.0 dB"), bottom = row_of("10.0 dB");
  EXPECT_LT(bottom.find('c', 8), top.find('b', 8));
}

TEST(Quantisation, candidates_of_one_place_are_both_shown) {
  const std::string text =
      write_sweep_terminal(sweep_of({candidate("a", 10, 30.0), candidate("b", 10, 30.0)}), {});
  EXPECT_THAT(text, testing::AnyOf(HasSubstr("ab\n"), HasSubstr("ba\n")));
}

TEST(Quantisation, what_was_not_measured_is_a_dash) {
  SweepCandidate unknown;
  unknown.name = "untimed";
  const std::string text = write_sweep_terminal(sweep_of({unknown}), {});
  EXPECT_THAT(text, HasSubstr("untimed"));
  EXPECT_THAT(text, HasSubstr(" - "));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(Quantisation, page_holds_names_as_text_and_every_candidate) {
  QuantisationSweep sweep =
      sweep_of({candidate("fp32", 10, std::numeric_limits<double>::infinity()), candidate("<b>int8", 4, 30)});
  sweep.recommended = 1;
  const std::string page = write_sweep_html(sweep);
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;int8"));
  EXPECT_THAT(page, Not(HasSubstr("<b>int8")));
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(Quantisation, a_layer_is_told_in_one_sentence) {
  analysis::LayerCost cost;
  cost.gain_db = 0.8;
  cost.saved_ms = 0.04;
  EXPECT_EQ(layer_sentence(cost), "costs 0.80 dB and saves 40.00 us");
  cost.saved_ms = -0.04;
  EXPECT_EQ(layer_sentence(cost), "costs 0.80 dB and takes longer by 40.00 us");
  cost.saved_ms.reset();
  cost.why_no_time = "no operator";
  EXPECT_EQ(layer_sentence(cost), "costs 0.80 dB and saves an unknown time: no operator");
}

TEST(Quantisation, layers_that_gain_nothing_are_not_listed) {
  analysis::LayerCosts costs;
  costs.layers.push_back({"good", "conv", 1.0, {}, {}, {}, {}, {}, {}, "unknown"});
  costs.layers.push_back({"bad", "conv", -1.0, {}, {}, {}, {}, {}, {}, "unknown"});
  const std::string text = write_layer_costs_terminal(costs, {}, 10);
  EXPECT_THAT(text, HasSubstr("good"));
  EXPECT_THAT(text, Not(HasSubstr("bad")));
  EXPECT_THAT(text, HasSubstr("--quant-skip =good"));
}

}  // namespace
}  // namespace etalon::report

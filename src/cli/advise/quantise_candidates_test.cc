#include "cli/advise/quantise_candidates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace etalon::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

analysis::LayerCosts costs_of(const std::vector<double>& gains) {
  analysis::LayerCosts costs;
  for (std::size_t i = 0; i < gains.size(); ++i) {
    analysis::LayerCost cost;
    cost.name = "layer" + std::to_string(i);
    cost.gain_db = gains[i];
    costs.layers.push_back(cost);
  }
  return costs;
}

TEST(QuantiseCandidates, begin_with_float_and_differ_in_names_and_files) {
  const std::vector<SweepForm> forms = uniform_forms();
  EXPECT_EQ(forms[0].name, "fp32");
  EXPECT_EQ(forms[1].name, "int8");
  std::set<std::string> names, files;
  for (const SweepForm& form : forms) {
    EXPECT_TRUE(names.insert(form.name).second) << form.name;
    EXPECT_TRUE(files.insert(form.file_name()).second) << form.file_name();
    EXPECT_EQ(form.file_name().find(' '), std::string::npos);
  }
}

TEST(QuantiseCandidates, mixed_ones_leave_a_doubling_number_of_layers_in_float) {
  const std::vector<SweepForm> forms = mixed_forms(costs_of({3, 2, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.05, -1}));
  ASSERT_EQ(forms.size(), 3u) << "1, 2 and 4 of the 8 that gain more than noise";
  EXPECT_THAT(forms[0].in_float, ElementsAre("layer0"));
  EXPECT_THAT(forms[2].in_float, ElementsAre("layer0", "layer1", "layer2", "layer3"));
  EXPECT_THAT(forms[2].command(), HasSubstr("--quant-skip =layer3"));
  EXPECT_THAT(forms[2].what(), HasSubstr("and 1 more"));
}

TEST(QuantiseCandidates, nothing_is_mixed_where_no_layer_gains) {
  EXPECT_TRUE(mixed_forms(costs_of({0.05, -1})).empty());
  EXPECT_EQ(mixed_forms(costs_of({0.5})).size(), 1u);
}

TEST(QuantiseCandidates, requests_name_exact_results) {
  SweepForm form{.name = "int8 but 1", .dtype = "int8", .observer = "minmax"};
  form.in_float = {"conv2d"};
  const ExportRequest request = export_request(form, "zoo:toy", "xnnpack", {}, "folder");
  EXPECT_EQ(request.output, "folder/toy_int8_but_1.pte");
  EXPECT_THAT(request.quantise.selection.skip, ElementsAre("=conv2d"));
  EXPECT_EQ(request.quantise.observer, "minmax");
  EXPECT_FALSE(request.quantise.assess);
}

}  // namespace
}  // namespace etalon::cli

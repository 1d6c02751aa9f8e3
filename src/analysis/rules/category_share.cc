// Work that is not the network's own takes most of the run.
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run", 0.5, "share", "more than everything else together"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kCategoryShare;
const Rule kCategoryShare = {
    .doc = {.id = "category-share",
            .detects = "a kind of work other than products takes more time than everything else together",
            .why = "convolutions and matrix products are what a network is for; where something else takes "
                   "most of the time, it "
                   "limits what faster products can gain",
            .remedy = "choose what speeds this kind up: fusion for Elementwise, a layout kept from end to "
                      "end for Data Movement, "
                      "a kernel of its own for what stands in Other",
            .confirm = "export with a delegate or another data type and compare the category's time",
            .wrong_when = "the model has no products, or most of the work is in Other and its operators have "
                          "nothing in common",
            .needs = "operator events"},
    .check = check,
    .thresholds = kThresholds};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (profile.categories.empty() || !has_operators(kCategoryShare, profile, findings)) {
    if (profile.categories.empty())
      findings.need(kCategoryShare.doc, profile, "operator events; the recording has none");
    return;
  }
  const CategoryRow& top = profile.categories.front();
  if (top.share < kMinShare.value || top.name == "Convolution" || top.name == "GEMM") return;
  Finding finding = make_finding(kCategoryShare, Severity::kNote, profile, top.name);
  add_group(select_rows(profile, [&](const OperatorRow& row) { return row.category == top.name; }), finding);
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis

// One kind of work takes most of the run.
#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr double kMinShare = 0.5;  // more than everything else together

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kCategoryShare;
const Rule kCategoryShare = {
    {"category-share", "one kind of work takes more time than everything else together",
     "the run is as fast as this kind of kernel",
     "choose what speeds this kind up: delegation and vector kernels for Convolution and GEMM, fusion for "
     "Elementwise, "
     "a layout kept from end to end for Data Movement",
     "export with a delegate or another data type and compare the category's time",
     "most of the work is in Other and the operators there have nothing in common"},
    check};

namespace {

void check(const Profile& profile, Findings& findings) {
  if (profile.categories.empty()) {
    findings.need(kCategoryShare.doc, profile, "operator events; the recording has none");
    return;
  }
  const CategoryRow& top = profile.categories.front();
  if (top.share < kMinShare) return;
  Finding finding;
  finding.rule = &kCategoryShare.doc;
  finding.profile = profile.name;
  finding.subject = top.name;
  finding.evidence = {{"time", top.ms, "ms"},
                      {"share of the run", top.share, "share"},
                      {"operators", static_cast<double>(top.operators), "count"}};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis

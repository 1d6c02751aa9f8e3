// The program says fp16, and its kernels compute in fp32.
#include "analysis/rules/operator_kinds.h"
#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMinShare = {"share of the run in fp32 kernels", 0.10, "share",
                                 "the first and last layer of a half precision model are often left in fp32"};
constexpr const Threshold* kThresholds[] = {&kMinShare};

void check(const Profile& profile, Findings& findings);

}  // namespace

extern const Rule kFp16AsFp32;
const Rule kFp16AsFp32 = {
    .doc = {.id = "fp16-as-fp32",
            .detects = "a program in fp16 computes its products with fp32 kernels",
            .why = "values are widened before and narrowed after the work, so that half precision costs "
                   "conversions and saves "
                   "no arithmetic",
            .remedy = "use an engine or a machine with half precision kernels, or export in fp32 and save "
                      "the conversions",
            .confirm = "export in both dtypes and compare them interleaved, kernels and outputs",
            .wrong_when = "the model is bound by reading its weights, which are half as large",
            .needs = "the dtype of the program, and evidence of kernels or labels that tell dtypes"},
    .check = check,
    .thresholds = kThresholds};

namespace {

bool tells_dtype(const OperatorRow& row) { return !row.kernel_hint.empty() || !row.dtype.empty(); }

bool computes_fp32(const OperatorRow& row) {
  if (row.kernel_hint.starts_with("f32_")) return true;
  return !row.kernel_hint.starts_with("f16_") && row.dtype.starts_with("F32");
}

void check(const Profile& profile, Findings& findings) {
  const RowGroup products = select_rows(
      profile, [](const OperatorRow& row) { return is_product(kind_of(row)) && tells_dtype(row); });
  if (profile.dtype.empty() || products.empty()) {
    findings.need(kFp16AsFp32.doc, profile,
                  "the dtype of the program file, and kernels or labels of its products");
    return;
  }
  if (profile.dtype != "float16") return;
  const RowGroup wide = select_rows(
      profile, [](const OperatorRow& row) { return is_product(kind_of(row)) && computes_fp32(row); });
  if (wide.empty() || wide.share < kMinShare.value) return;
  Finding finding = make_finding(kFp16AsFp32, Severity::kWarning, profile, wide.worst().name);
  add_group(wide, finding);
  finding.evidence.push_back({"products in all", products.count(), "count"});
  finding.remedy = {RemedyKind::kDtype, "fp32", "etalon export MODEL --dtype fp32"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kQuantiseRoundTrips() {
  RuleCases cases;
  const OperatorRow quantise =
      op("native_call_quantized_decomposed::quantize_per_tensor.out", "Data Movement", 0.5);
  const OperatorRow dequantise =
      op("native_call_quantized_decomposed::dequantize_per_tensor.out", "Data Movement", 0.6);
  cases.fires = healthy_report_with({dequantise, quantise, dequantise, quantise});
  cases.subject = "dequantize_per_tensor";
  // At the input and at the output of a quantised network.
  cases.silent = healthy_report_with({quantise, dequantise});
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}
}  // namespace etalon::analysis

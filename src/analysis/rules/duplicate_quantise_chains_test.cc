#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

// One value is quantised with the scales 0.1 and `scale`.
Report twice(double scale) {
  Report report = report_of({op("native_call_quantize_per_tensor.out", "Data Movement", 1),
                             op("native_call_quantize_per_tensor.out", "Data Movement", 1)});
  report.profiles[0].has_facts = true;
  ModelFacts& facts = report.facts.emplace();
  for (const double one : {0.1, scale}) {
    NodeFacts node;
    node.op = "quantized_decomposed::quantize_per_tensor.out";
    node.dtype = "int8";
    node.reads = {1};
    node.writes = {static_cast<std::int64_t>(facts.nodes.size()) + 2};
    node.attributes["scale"] = one;
    report.profiles[0].operators[facts.nodes.size()].nodes = {facts.nodes.size()};
    facts.nodes.push_back(std::move(node));
  }
  return report;
}

}  // namespace

RuleCases cases_of_kDuplicateQuantiseChains() {
  RuleCases cases;
  cases.fires = twice(0.1);
  cases.subject = "quantize_per_tensor";
  cases.silent = twice(0.2);
  cases.missing = report_of({op("native_call_convolution.out", "Convolution", 3)});
  cases.needs = "data flow";
  return cases;
}
}  // namespace etalon::analysis

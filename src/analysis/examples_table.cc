#include "analysis/examples_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace etalon::analysis {
namespace {

// Parts of a file name that tell the variant and not the model.
constexpr std::array<std::string_view, 16> kVariantWords = {"xnnpack", "portable", "native", "fp32", "f32",  "fp16", "f16",       "q8",
                                                            "qs8",     "int8",     "quantized", "quantised", "static", "dynamic", "xnn", "pte"};

std::vector<std::string> words_of(const std::string& path) {
  std::string stem = path.substr(path.rfind('/') + 1);
  stem = stem.substr(0, stem.rfind('.'));
  std::vector<std::string> words;
  std::size_t from = 0;
  while (from <= stem.size()) {
    const std::size_t to = std::min(stem.find('_', from), stem.size());
    words.push_back(stem.substr(from, to - from));
    from = to + 1;
  }
  return words;
}

bool is_variant_word(const std::string& word) { return std::find(kVariantWords.begin(), kVariantWords.end(), word) != kVariantWords.end(); }

ExampleVariant variant_of_name(const std::string& path) {
  const std::vector<std::string> words = words_of(path);
  const auto has = [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); };
  if (has("q8") || has("qs8") || has("int8") || has("quantized") || has("quantised")) return ExampleVariant::kXnnpackQ8;
  return has("xnnpack") || has("xnn") ? ExampleVariant::kXnnpackFp32 : ExampleVariant::kPortable;
}

ExampleVariant variant_of_facts(const ModelFacts& facts) {
  std::map<std::string, double> flops;
  for (const NodeFacts& node : facts.nodes) {
    if (node.backend == "XnnpackBackend") flops[node.dtype] += std::max(node.flops, 1.0);
  }
  if (flops.empty()) return ExampleVariant::kPortable;
  const auto most = std::max_element(flops.begin(), flops.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->first == "int8" || most->first == "uint8" ? ExampleVariant::kXnnpackQ8 : ExampleVariant::kXnnpackFp32;
}

ExampleRow& row_of(std::vector<ExampleRow>& rows, const std::string& model) {
  const auto place = std::find_if(rows.begin(), rows.end(), [&](const ExampleRow& row) { return row.model == model; });
  if (place != rows.end()) return *place;
  rows.push_back({model, {}});
  return rows.back();
}

}  // namespace

std::string_view example_variant_name(ExampleVariant variant) {
  switch (variant) {
    case ExampleVariant::kPortable: return "portable";
    case ExampleVariant::kXnnpackFp32: return "xnnpack fp32";
    case ExampleVariant::kXnnpackQ8: return "xnnpack q8";
  }
  return "portable";
}

ExampleVariant example_variant_of(const Report& report) {
  return report.facts && !report.facts->nodes.empty() ? variant_of_facts(*report.facts) : variant_of_name(report.model);
}

std::string example_model_of(const std::string& model_path) {
  std::string name;
  for (const std::string& word : words_of(model_path)) {
    if (!is_variant_word(word)) name += (name.empty() ? "" : "_") + word;
  }
  return name;
}

std::vector<ExampleRow> example_rows(const std::vector<Report>& reports) {
  std::vector<ExampleRow> rows;
  for (const Report& report : reports) {
    const auto timed = [](const RunResult& result) { return result.first_ms || result.mean_ms; };
    const auto& results = report.manifest.results;
    const bool several = std::count_if(results.begin(), results.end(), timed) > 1;
    const auto variant = static_cast<std::size_t>(example_variant_of(report));
    for (const RunResult& result : results) {
      if (!timed(result)) continue;
      std::string model = example_model_of(report.model);
      if (several) model += fmt::format(" ({})", run_name(result.experiment, result.threads));
      row_of(rows, model).cells[variant] =
          ExampleCell{result.first_ms, result.mean_ms, static_cast<std::uint32_t>(result.latency_ms.size()), result.warmup};
    }
  }
  return rows;
}

}  // namespace etalon::analysis

// The table in which ExecuTorch's XNNPACK examples publish their times: models by variant, each with its first iteration
// and the average of the steady ones. Gathered from run folders; nothing is measured here. Pure functions, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run_report.h"

namespace etalon::analysis {

enum class ExampleVariant : std::uint8_t { kPortable, kXnnpackFp32, kXnnpackQ8 };
inline constexpr std::size_t kExampleVariants = 3;
std::string_view example_variant_name(ExampleVariant variant);  // "portable", "xnnpack fp32", "xnnpack q8"

struct ExampleCell {
  std::optional<double> first_ms;    // of a fresh process
  std::optional<double> average_ms;  // of the steady iterations
  std::uint32_t runs = 0;            // steady iterations behind the average
  std::uint32_t warmup = 0;          // iterations before them, as asked for
};

struct ExampleRow {
  std::string model;
  std::array<std::optional<ExampleCell>, kExampleVariants> cells;
};

// What a program is, from its facts where they are known, else from its file name ("mv2_xnnpack_q8.pte").
ExampleVariant example_variant_of(const Report& report);

// "mobilenet_v2" for "a/mobilenet_v2_xnnpack_fp32.pte": what variants of one model have in common.
std::string example_model_of(const std::string& model_path);

// One row per model, in the order in which they come; a folder with several timing runs gives a row to each. Of two folders
// for one cell the later one counts.
std::vector<ExampleRow> example_rows(const std::vector<Report>& reports);

}  // namespace etalon::analysis

// What the checks of a run folder share: the folder, the defects found so far, and reading with a defect instead of an error.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/manifest.h"
#include "analysis/validate.h"

namespace etalon::analysis {

class Check {
 public:
  explicit Check(std::string run_dir) : run_dir_(std::move(run_dir)) {}

  const std::string& run_dir() const { return run_dir_; }
  std::string path_of(const std::string& file) const { return run_dir_ + "/" + file; }
  // Of another tool, which writes fewer files and fields: what is there is checked, what is absent is no defect.
  bool foreign() const { return foreign_; }
  void set_foreign() { foreign_ = true; }

  template <class... Args>
  void defect(const std::string& file, fmt::format_string<Args...> text, Args&&... args) {
    validation_.defects.push_back({file, fmt::format(text, std::forward<Args>(args)...)});
  }
  // Counts the file; false (and a defect) when it is missing or empty.
  bool present(const std::string& file);
  // Where the folder is ours it must be there, else only what is there is checked.
  bool expected(const std::string& file);
  std::optional<std::string> text(const std::string& file);
  std::optional<nlohmann::json> object(const std::string& file, std::string_view schema);

  Validation take() { return std::move(validation_); }

 private:
  std::string run_dir_;
  bool foreign_ = false;
  Validation validation_;
};

// To within rounding: both were computed from the same numbers.
bool nearly_equal(double a, double b);

// Records of a CSV file as RFC 4180 has it, each a list of cells; a last line that is cut counts as a record.
std::vector<std::vector<std::string>> csv_records(std::string_view text);

void check_manifest(const nlohmann::json& root, const Manifest& manifest, Check& check);  // validate_manifest.cc
void check_samples(const Manifest& manifest, Check& check);                               // validate_samples.cc
void check_recording(const RunResult& result, Check& check);                              // validate_recording.cc
void check_kernels(const RunResult& result, Check& check);
void check_analysis(const Manifest& manifest, Check& check);                              // validate_analysis.cc

}  // namespace etalon::analysis

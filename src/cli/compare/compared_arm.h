// One run of a comparison: what is run, and what became known of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/manifest.h"
#include "analysis/model_facts.h"
#include "base/result.h"
#include "cli/arms.h"
#include "cli/compare/measured.h"

namespace etalon::cli {

struct ComparedArm {
  ArmRequest request;
  std::string name;  // for people: what tells it from the others
  analysis::RunResult result;
  std::optional<analysis::ModelFacts> facts;

  std::string stem() const;  // "<experiment>/<model>_<experiment>_t<threads>", relative to the run folder
};

// The runs that a request asks for, with names that tell them apart, and what their program files say.
Result<std::vector<ComparedArm>> make_arms(const CompareRequest& request);

// Letters, digits, '_', '-' and '.' stay; what else a path may hold becomes '_'.
std::string folder_name(std::string text);

// "a_vs_b", or "a" when one program is run in several ways.
std::string comparison_name(const std::vector<ComparedArm>& arms);

}  // namespace etalon::cli

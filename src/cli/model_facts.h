// Facts of a program file for the analysis: operators with shapes, arithmetic, traffic and data flow.
#pragma once

#include <string>

#include "analysis/model_facts.h"
#include "base/result.h"

namespace etalon::cli {

// Runs nothing. Operators that we do not know have no arithmetic; delegates that we cannot read are one node.
// Errors: kNotFound, kInvalidInput, kIo.
Result<analysis::ModelFacts> read_model_facts(const std::string& pte_path);

}  // namespace etalon::cli

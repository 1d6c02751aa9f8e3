// Holds the operators of a profile against the program file: which nodes of the model each event computed, hence its
// shapes, arithmetic, traffic and, through debug handles, the line of model code it came from.
//
// An operator call is known by its instruction. Events of our own engine tell their nodes. Events of XNNPACK are held
// against the operators that XNNPACK is expected to make of the payload (ModelFacts::runtime_operators), in order; what
// does not agree with them stays unmapped, with the reason in the row, and nothing is guessed.
// Pure functions of their arguments, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "analysis/model_facts.h"
#include "analysis/profile.h"
#include "analysis/source.h"

namespace etalon::analysis {

// Fills what the rows say of the program, Profile::dtype and Profile::has_facts. Returns one line for every reason why
// rows are unmapped. Where the program cannot be the one that was recorded, nothing is filled and one line says so.
std::vector<std::string> attach_facts(const ModelFacts& facts, const SourceMap& sources, Profile& profile);

}  // namespace etalon::analysis

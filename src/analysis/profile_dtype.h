// The dtype that a run mostly computed in. Pure, thread-safe.
#pragma once

#include <string>

#include "analysis/profile.h"

namespace etalon::analysis {

// "int8", "float16", "float32", ... of most of the work: as the program says, else as the labels of its
// operators do; empty: unknown.
std::string dtype_of(const Profile& profile);

}  // namespace etalon::analysis

// Values as text in the two forms of ExecuTorch's executor_runner (formats.md 7.2).
#pragma once

#include <string>

#include "ops/value.h"

namespace etalon::cli {

// One value: "tensor(sizes=[1, 3], [1., 2.5, 3.])". Elements in memory order; of more than 200 the middle is left out.
std::string summary_of(const ops::Value& value);

// Every element on a line of its own: "Output[0][1]: (float) 2.500000".
std::string listing_of(const ops::Value& value, std::size_t output);

}  // namespace etalon::cli

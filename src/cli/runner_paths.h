// Where our runners are: beside the program `etalon`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace etalon::cli {

// "etalon-runner" beside this program. Errors: kNotFound.
Result<std::string> own_runner_path();

// "etalon-executorch-runner" likewise. It is built only where ExecuTorch's SDK is. Errors: kNotFound, with the fix.
Result<std::string> executorch_runner_path();

// Whether `path` names one of the two, here or copied elsewhere: a runner that takes our flags.
bool is_own_runner(std::string_view path);

}  // namespace etalon::cli

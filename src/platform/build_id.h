// Which build of the program this is.
#pragma once

#include <string>

namespace etalon::platform {

// The linker's build id of the running program, in hex: a hash of its contents, so two programs with the same one are
// the same. Empty where the linker wrote none. Thread-safe.
std::string build_id();

}  // namespace etalon::platform

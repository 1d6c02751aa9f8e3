// SHA-256 of file contents, so that a hash in a manifest can be checked with `sha256sum`.
#pragma once

#include <string>

#include "base/result.h"
#include "base/sha256.h"

namespace etalon::analysis {

using etalon::sha256_hex;

// "sha256:<64 digits>"; errors: those of opening the file.
Result<std::string> hash_file(const std::string& path);

}  // namespace etalon::analysis

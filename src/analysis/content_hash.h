// SHA-256 of file contents, so that a hash in a manifest can be checked with `sha256sum`.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon::analysis {

std::string sha256_hex(Bytes bytes);
inline std::string sha256_hex(std::string_view text) { return sha256_hex(as_byte_span(text)); }

// "sha256:<64 digits>"; errors: those of opening the file.
Result<std::string> hash_file(const std::string& path);

}  // namespace etalon::analysis

// SHA-256 (FIPS 180-4), for hashes of contents that other tools check. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace etalon {

// 64 lowercase digits.
std::string sha256_hex(Bytes bytes);
inline std::string sha256_hex(std::string_view text) { return sha256_hex(as_byte_span(text)); }

}  // namespace etalon

// What kind of file some bytes are, judged by content and never by name.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace etalon::formats {

enum class FileKind : std::uint8_t { kPte, kPt2, kOnnx, kEtdump, kEtrecord, kBpte, kPtd, kNpy, kUnknown };

// Looks at the head, and at the directory of ZIP archives. Total; does not prove that the rest of the file is
// sound.
FileKind detect(Bytes file);

// "ExecuTorch program (.pte)" and so on, for messages.
std::string_view describe(FileKind kind);
// "pte" and so on, for JSON and file names.
std::string_view short_name(FileKind kind);

}  // namespace etalon::formats

// What decode() and EtDumpView have in common: the checks before anything is read. Only for .cc files of this folder.
#pragma once

#include "etdump_generated.h"
#include "formats/flatbuffer_reading.h"

namespace etalon::formats::etdump {

inline constexpr std::size_t kPrefixSize = 4;

inline bool has_identifier(Bytes file, std::size_t at) {
  constexpr std::string_view kIdentifier = "ED00";
  const auto found = slice(file, at, kIdentifier.size());
  return found && as_text(*found) == kIdentifier;
}

// `buffer` is made of `file` and must outlive the result.
inline Result<const fb::etdump::ETDump*> verified_root(Bytes file, const AlignedFlatbuffer& buffer) {
  const bool is_prefixed = has_identifier(file, 2 * kPrefixSize);
  if (!is_prefixed && !has_identifier(file, kPrefixSize)) {
    return invalid_input("not an event file: 'ED00' is neither at byte 8 nor at byte 4");
  }
  // The prefix belongs to the aligned block, so alignment is judged with it in place.
  if (!buffer.fits()) return invalid_input("the event file has 2 GiB or more");
  const std::size_t skip = is_prefixed ? kPrefixSize : 0;
  flatbuffers::Verifier verifier = buffer.verifier();
  if (!verifier.VerifyBufferFromStart<fb::etdump::ETDump>(fb::etdump::ETDumpIdentifier(), skip)) {
    return invalid_input("the event file is damaged or cut off: its flatbuffer does not verify");
  }
  return fb::etdump::GetETDump(buffer.data() + skip);
}

}  // namespace etalon::formats::etdump

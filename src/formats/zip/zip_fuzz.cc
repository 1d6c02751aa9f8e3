// libFuzzer target: the decoder must survive any bytes.
#include <cstddef>
#include <cstdint>

#include "formats/zip/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto zip = etalon::formats::zip::ZipReader::open(bytes);
  if (!zip.ok()) return 0;
  for (const auto& entry : zip->entries()) (void)etalon::formats::zip::ZipReader::read(entry, 1 << 20).ok();
  return 0;
}

// libFuzzer target: the decoder must survive any bytes.
#include <cstddef>
#include <cstdint>

#include "formats/etdump/etdump.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto dump = etalon::formats::etdump::decode(bytes);
  if (dump.ok()) (void)etalon::formats::etdump::encode(*dump).ok();
  return 0;
}

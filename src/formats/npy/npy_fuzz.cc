// libFuzzer target: the decoder must survive any bytes.
#include <cstddef>
#include <cstdint>

#include "formats/npy/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  (void)etalon::formats::npy::decode(bytes).ok();
  return 0;
}

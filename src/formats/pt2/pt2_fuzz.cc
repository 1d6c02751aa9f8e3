// libFuzzer target: the decoder must survive any bytes.
#include <cstddef>
#include <cstdint>

#include "formats/pt2/pt2.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  // The JSON, the archive around it and the pickles inside are reached by different beginnings.
  if (size > 0 && data[0] == '{') (void)etalon::formats::pt2::decode_program(bytes).ok();
  (void)etalon::formats::pt2::read_torch_save(bytes).ok();
  const auto archive = etalon::formats::pt2::decode(bytes);
  if (!archive.ok()) return 0;
  for (const auto& model : archive->models) (void)etalon::formats::pt2::sample_inputs(model).ok();
  return 0;
}

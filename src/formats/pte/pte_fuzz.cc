// libFuzzer target: the decoder must survive any bytes.
#include <cstddef>
#include <cstdint>

#include "formats/pte/pte.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto program = etalon::formats::pte::decode(bytes);
  if (!program.ok()) return 0;
  // What decode() promises: constants of its tensors are there.
  for (const auto& plan : program->plans) {
    for (const auto& value : plan.values) {
      const auto* tensor = std::get_if<etalon::formats::pte::Tensor>(&value);
      if (tensor == nullptr || !(tensor->is_constant() || tensor->is_initialised_state())) continue;
      ETALON_CHECK(etalon::formats::pte::tensor_data(*program, *tensor).ok());
    }
  }
  return 0;
}

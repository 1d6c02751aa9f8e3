// libFuzzer target: the pickle machine alone, which mutated archives seldom reach.
#include <array>
#include <cstddef>
#include <cstdint>

#include "formats/pt2/pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<std::byte, 64> kStorage{};
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto storages = [](std::string_view) {
    return etalon::Result<etalon::Bytes>(etalon::Bytes(kStorage));
  };
  (void)etalon::formats::pt2::unpickle(bytes, storages).ok();
  return 0;
}

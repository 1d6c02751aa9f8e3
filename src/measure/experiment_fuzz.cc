// Any text as an experiment configuration.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "measure/experiment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(etalon::measure::parse_config({reinterpret_cast<const char*>(data), size}).ok());
  return 0;
}

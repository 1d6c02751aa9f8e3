// Any text as a file of samples; what is accepted is written again and read back.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "measure/samples.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto recording = etalon::measure::parse_recording({reinterpret_cast<const char*>(data), size});
  if (!recording.ok()) return 0;
  const auto again = etalon::measure::parse_recording(etalon::measure::recording_to_json(*recording));
  ETALON_CHECK(again.ok());
  return 0;
}

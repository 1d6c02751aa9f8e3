// libFuzzer target: the decoder must survive any bytes, and what it reads must survive being written.
#include <cstddef>
#include <cstdint>

#include "formats/xnn/xnn.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace xnn = etalon::formats::xnn;
  const auto graph = xnn::decode({reinterpret_cast<const std::byte*>(data), size});
  if (!graph.ok()) return 0;
  const auto written = xnn::encode(*graph);
  ETALON_CHECK(written.ok());
  const auto again = xnn::decode(*written);
  ETALON_CHECK(again.ok());
  const auto rewritten = xnn::encode(*again);
  ETALON_CHECK(rewritten.ok() && *rewritten == *written);
  return 0;
}

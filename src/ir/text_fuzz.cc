// Any text as a graph: parsed, verified and printed; what print() wrote must come back as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ir/text.h"
#include "ir/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto graph = etalon::ir::parse({reinterpret_cast<const char*>(data), size});
  if (!graph.ok()) return 0;
  static_cast<void>(etalon::ir::verify(*graph).ok());
  const std::string text = etalon::ir::print(*graph);
  const auto again = etalon::ir::parse(text);
  if (!again.ok() || etalon::ir::print(*again) != text) std::abort();
  return 0;
}

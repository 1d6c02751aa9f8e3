// Any bytes as a program: decode, load, run. Small limits keep one input to milliseconds.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/aligned_buffer.h"
#include "runtime/method.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etalon;           // NOLINT: a fuzz target has no header
  using namespace etalon::runtime;  // NOLINT
  auto copy = AlignedBuffer::allocate(size);
  if (!copy.ok()) return 0;
  if (size > 0) std::memcpy(copy->data(), data, size);
  const auto program = Program::from_bytes(Bytes(copy->span()));
  if (!program.ok()) return 0;
  MethodOptions options;
  options.memory_limit = 1 << 20;
  options.max_instructions = 200;
  for (const std::string& name : program->method_names()) {
    auto method = Method::load(*program, name, options);
    if (!method.ok()) continue;
    // Twice: the second run starts from what the first one left behind.
    if (method->execute().ok()) static_cast<void>(method->execute());
  }
  return 0;
}

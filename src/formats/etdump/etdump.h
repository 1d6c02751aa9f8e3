// ETDump event files (.etdump): bytes <-> plain structs. What encode() makes opens in ExecuTorch's Inspector.
//
// decode() is total and copies everything out, so the bytes may go away. Times are ticks; ExecuTorch and we
// write nanoseconds. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon::formats::etdump {

struct Tensor {
  std::int8_t dtype = 0;  // c10 number
  std::vector<std::int64_t> sizes = {};
  std::vector<std::int64_t> strides = {};
  std::int64_t offset = 0;  // in the separate debug buffer
};

struct None {};
struct Text {
  std::string value = {};
};
// Exactly one payload, as the file's ValueType says.
using Payload = std::variant<None, std::int64_t, bool, float, double, Tensor, std::vector<Tensor>, Text>;

struct Value {
  Payload payload = {};
  bool is_output = false;  // an output of the program
};

struct ProfileEvent {
  std::string name = {};         // empty on delegate events
  std::int32_t chain_index = 0;  // -1 for events of a whole method
  std::int32_t instruction_id = -1;
  std::int32_t delegate_debug_id = -1;
  std::string delegate_debug_name = {};                          // "Convolution (NHWC, F32) IGEMM #1"
  std::optional<std::vector<std::byte>> delegate_metadata = {};  // present (maybe empty) on delegate events
  std::uint64_t start_time = 0;
  std::uint64_t end_time = 0;

  bool is_delegate_event() const { return delegate_debug_id != -1 || !delegate_debug_name.empty(); }
};

struct AllocationEvent {
  std::int32_t allocator_id = 0;
  std::uint64_t size = 0;
};

struct DebugEvent {
  std::string name = {};
  std::uint64_t chain_index = 0;
  std::int32_t instruction_id = -1;
  std::int32_t delegate_debug_id = -1;
  std::string delegate_debug_name = {};
  Value value = {};
};

using Event = std::variant<ProfileEvent, AllocationEvent, DebugEvent>;

// One block: "Default" (loading), then one "Execute" per run. Events stand in the order in which they ended.
struct RunData {
  std::string name = {};
  std::int32_t bundled_input_index = -1;
  std::vector<std::string> allocators = {};
  std::vector<Event> events = {};
};

struct EtDump {
  std::uint32_t version = 0;
  std::vector<RunData> runs = {};
};

// Accepts the size-prefixed form, also with a wrong prefix value as Inspector does, and the form without
// prefix. Errors: kInvalidInput.
Result<EtDump> decode(Bytes file);

// Errors: kInvalidInput for what Inspector refuses (an AllocationEvent, a delegate event with number and name
// both), kResource over 1 GiB. A block without events is written without the list, because Inspector fails on
// an empty one.
Result<std::vector<std::byte>> encode(const EtDump& dump);

}  // namespace etalon::formats::etdump

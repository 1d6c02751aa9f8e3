// ExecuTorch programs (.pte): bytes <-> plain structs. Reads old and new layouts, writes what ExecuTorch 1.5
// writes.
//
// decode() is total: whatever the bytes are, it returns a Program whose every index (values, operators,
// delegates, constants, segments, list items, jump targets) is in range, or an error. Nothing large is
// copied: constants, delegate payloads and named data are spans into the bytes handed in, which must outlive
// the Program. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon {
class FileWriter;
}

namespace etalon::formats::pte {

inline constexpr std::size_t kMaxRank = 16;

enum class ShapeDynamism : std::int8_t { kStatic = 0, kDynamicBound = 1, kDynamicUnbound = 2 };
enum class TensorDataLocation : std::int8_t { kSegment = 0, kExternal = 1 };

// Planned memory: buffer `memory_id` (1-based; index into ExecutionPlan::planned_buffer_sizes), byte offset
// in it.
struct Allocation {
  std::uint32_t memory_id = 1;
  std::uint64_t offset = 0;
};

// Only some tensors carry it; an absent table equals the defaults.
struct ExtraTensorInfo {
  std::uint64_t mutable_data_segments_idx = 0;  // ignored by the runtime, which always uses entry 0
  std::string fully_qualified_name;
  TensorDataLocation location = TensorDataLocation::kSegment;
  std::int8_t device_type = 0;
  std::int8_t device_index = 0;
};

// Strides follow from sizes and dim_order (outermost to innermost); dim_order is a permutation of 0..rank-1.
struct Tensor {
  std::int8_t dtype = 6;  // c10 number
  std::int8_t layout = 0;
  bool requires_grad = false;
  ShapeDynamism dynamism = ShapeDynamism::kStatic;
  std::vector<std::int32_t> sizes;  // upper bounds when dynamic
  std::vector<std::uint8_t> dim_order;
  std::uint32_t data_buffer_idx = 0;  // > 0: constant, or initial bytes of planned memory
  std::optional<Allocation> allocation;
  std::optional<ExtraTensorInfo> extra;

  bool is_external() const { return extra && extra->location == TensorDataLocation::kExternal; }
  bool is_constant() const { return !allocation && !is_external() && data_buffer_idx > 0; }
  bool is_initialised_state() const { return allocation && !is_external() && data_buffer_idx > 0; }
};

struct Null {};
struct Int {
  std::int64_t value = 0;
};
struct Bool {
  bool value = false;
};
struct Double {
  double value = 0;
};
struct String {
  std::string value;
};
struct IntList {
  std::vector<std::int64_t> items;  // indices of Int values, not integers
};
struct DoubleList {
  std::vector<double> items;
};
struct BoolList {
  std::vector<std::uint8_t> items;
};
struct TensorList {
  std::vector<std::int32_t> items;  // indices of Tensor values
};
struct OptionalTensorList {
  std::vector<std::int32_t> items;  // indices of Tensor values; -1 is None
};

// The order is that of the file's union tags.
using EValue = std::variant<Null, Int, Bool, Double, Tensor, String, IntList, DoubleList, BoolList,
                            TensorList, OptionalTensorList>;

struct Operator {
  std::string name;      // "aten::add"
  std::string overload;  // "out", may be empty
  // "aten::add.out"; the name alone when the overload is empty.
  std::string full_name() const { return overload.empty() ? name : name + "." + overload; }
};

struct KernelCall {
  std::int32_t op_index = 0;
  std::vector<std::int32_t> args;  // schema arguments, then the returned value(s) again
};
struct DelegateCall {
  std::int32_t delegate_index = 0;
  std::vector<std::int32_t> args;  // inputs, then outputs
};
struct MoveCall {
  std::int32_t from = 0;
  std::int32_t to = 0;
};
struct JumpFalseCall {
  std::int32_t condition = 0;
  std::int32_t destination = 0;  // instruction index, at most the number of instructions
};
struct FreeCall {
  std::int32_t value = 0;
};
using Instruction = std::variant<KernelCall, DelegateCall, MoveCall, JumpFalseCall, FreeCall>;

struct Frame {
  std::string filename;
  std::int32_t line = 0;
  std::string name;
  std::string context;
};

struct Chain {
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> outputs;
  std::vector<Instruction> instructions;
  std::vector<std::vector<Frame>> stacktrace;  // empty, or one per instruction
};

struct CompileSpec {
  std::string key;
  std::vector<std::byte> value;
};

struct Delegate {
  std::string id;          // "XnnpackBackend"
  bool in_segment = true;  // else inline in the flatbuffer; the writer decides by itself
  std::uint32_t index =
      0;          // segment number or inline number; in ProgramToWrite: index into delegate_payloads
  Bytes payload;  // decode only
  std::vector<CompileSpec> compile_specs;
};

struct BufferDevice {
  std::int32_t buffer_idx = 0;
  std::int8_t device_type = 0;
  std::int8_t device_index = 0;
};

struct ExecutionPlan {
  std::string name;            // method name
  std::string encoded_inputs;  // pytree specs, never parsed by the runtime
  std::string encoded_outputs;
  std::vector<EValue> values;
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> outputs;
  std::vector<Chain> chains;  // at least one
  std::vector<Operator> operators;
  std::vector<Delegate> delegates;
  std::vector<std::int64_t> planned_buffer_sizes = {0};  // [0] is reserved
  std::vector<BufferDevice> buffer_devices;
};

struct Segment {
  std::uint64_t offset = 0;  // from the segment base
  std::uint64_t size = 0;
  Bytes data;
};

// One segment cut at offsets; item i starts at offsets[i], its size is known to whoever uses it. Item 0 means
// "none".
struct Subsegments {
  std::uint32_t segment_index = 0;
  std::vector<std::uint64_t> offsets;
  Bytes data;
};

struct NamedData {
  std::string key;
  std::uint32_t segment_index = 0;
  Bytes data;
};

struct Program {
  std::uint32_t version = 0;
  std::vector<ExecutionPlan> plans;
  std::vector<Bytes> inline_constants;  // files from before constant segments; empty otherwise
  Subsegments constants;
  std::vector<Subsegments> mutable_data;
  std::vector<Segment> segments;
  std::vector<NamedData> named_data;
  bool has_extended_header = false;
  std::uint64_t program_size = 0;         // flatbuffer bytes with the header
  std::uint64_t segment_base_offset = 0;  // 0: no segments

  const ExecutionPlan* find_plan(std::string_view method) const;
  const NamedData* find_named(std::string_view key) const;
};

// Errors: kInvalidInput (not a program, damaged), kUnsupported (another ExecuTorch schema version).
Result<Program> decode(Bytes file);

// Bytes of a dense tensor of these sizes; nothing if it overflows or the dtype is unknown.
std::optional<std::uint64_t> tensor_nbytes(const Tensor& tensor);

// Element size of a c10 dtype number in bytes; 0 if it is unknown or narrower than a byte.
std::size_t dtype_size(std::int8_t dtype);

// The bytes of a tensor with is_constant() or is_initialised_state(), dense in its dim_order. decode() has
// proved that this succeeds for its tensors.
Result<Bytes> tensor_data(const Program& program, const Tensor& tensor);

// ---- writing ----

// Bytes to write: the chunks in order, then `owned`. Chunks are borrowed until encode() returns and go
// straight from where they are to the file.
struct Blob {
  std::vector<Bytes> chunks;
  std::vector<std::byte> owned;

  static Blob borrow(Bytes bytes) { return Blob{{bytes}, {}}; }
  static Blob own(std::vector<std::byte> bytes) { return Blob{{}, std::move(bytes)}; }
  std::uint64_t size() const;
};

struct NamedBlob {
  std::string key;
  Blob data;
  std::uint32_t alignment = 1;
};

struct ProgramToWrite {
  // data_buffer_idx of constants counts in `constants`, of initialised state in `mutable_data`;
  // Delegate::index counts in `delegate_payloads`. Plans are written in the order given.
  std::vector<ExecutionPlan> plans;
  std::vector<Blob> constants = {Blob{}};     // [0] is reserved and empty; equal contents are stored once
  std::vector<Blob> mutable_data = {Blob{}};  // [0] is reserved and empty
  std::vector<Blob> delegate_payloads;        // equal contents are stored once; empty ones stay inline
  std::vector<NamedBlob> named_data;          // equal contents share a segment
  std::uint32_t segment_alignment = 128;      // powers of two
  std::uint32_t constant_alignment = 16;
};

using ByteSink = std::function<Status(Bytes)>;

// Errors: kInvalidInput (an index out of range in the plans, a constant shorter than its tensor, a bad
// alignment), and the sink's own.
Status encode(const ProgramToWrite& program, const ByteSink& sink);
Status encode(const ProgramToWrite& program, FileWriter& file);
Result<std::vector<std::byte>> encode_to_bytes(const ProgramToWrite& program);

}  // namespace etalon::formats::pte

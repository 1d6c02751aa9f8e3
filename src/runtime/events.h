// What a run reports while it happens. A recorder implements EventTracer; with none, a run takes no time stamps.
//
// Names and order are ExecuTorch's (formats.md 3.3): events are reported when they end, so inner ones come first.
// Loading reports into the block "Default", each execution into a block "Execute" of its own.
#pragma once

#include <cstdint>
#include <string_view>

namespace etalon::runtime {

struct Event {
  // Borrowed: static text, or owned by the Method or Delegate that reports, which must outlive the recorder's use.
  std::string_view name;
  std::int32_t chain = -1;       // -1: not inside an instruction
  std::int32_t instruction = 0;  // position in the chain
  std::uint64_t start_ns = 0;    // platform::now_ns()
  std::uint64_t end_ns = 0;
  // A piece of work inside a delegate: `name` is the delegate's own name of it ("Add (ND) #1").
  bool is_delegate_event = false;
};

enum class TraceDetail : std::uint8_t {
  kMethods,       // Program::load_method, Method::init, Method::execute
  kInstructions,  // also every instruction, kernel and delegate event
};

// Called from the thread that executes. record() must not allocate in the usual case: it runs between kernels.
class EventTracer {
 public:
  virtual ~EventTracer() = default;
  virtual void begin_block(std::string_view name) = 0;
  virtual void record(const Event& event) = 0;
  virtual TraceDetail detail() const { return TraceDetail::kInstructions; }
};

namespace event_names {
inline constexpr std::string_view kDefaultBlock = "Default";
inline constexpr std::string_view kExecuteBlock = "Execute";
inline constexpr std::string_view kLoadMethod = "Program::load_method";
inline constexpr std::string_view kInit = "Method::init";
inline constexpr std::string_view kExecute = "Method::execute";
inline constexpr std::string_view kOperatorCall = "OPERATOR_CALL";
inline constexpr std::string_view kDelegateCall = "DELEGATE_CALL";
inline constexpr std::string_view kJumpFalse = "JF_CALL";
inline constexpr std::string_view kMove = "MOVE_CALL";
inline constexpr std::string_view kFree = "FREE_CALL";
}  // namespace event_names

}  // namespace etalon::runtime

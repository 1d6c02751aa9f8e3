#include "analysis/events.h"

#include <array>
#include <limits>

namespace etalon::analysis {
namespace {

using formats::etdump::ProfileEventView;

constexpr std::string_view kExecute = "Method::execute";
constexpr std::array<std::string_view, 2> kLoadEvents = {"Program::load_method", "Method::init"};
constexpr std::array<std::string_view, 2> kCalls = {"OPERATOR_CALL", "DELEGATE_CALL"};
constexpr std::array<std::string_view, 4> kSteps = {"JF_CALL", "MOVE_CALL", "FREE_CALL", "Method::step"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  for (const std::string_view known : names) {
    if (known == name) return true;
  }
  return false;
}

bool is_call(const ProfileEventView& event) { return !event.is_delegate_event() && contains(kCalls, event.name); }

Part part_of(const ProfileEventView& event) {
  if (event.is_delegate_event()) return Part::kOperator;
  if (event.name == kExecute) return Part::kExecute;
  if (contains(kLoadEvents, event.name)) return Part::kLoad;
  return contains(kSteps, event.name) ? Part::kFramework
                                      : Part::kOperator;  // calls are settled by their contents
}

// A 32-bit clock wraps (as Inspector assumes); otherwise an end before the start is damage.
std::optional<std::int64_t> duration_of(const ProfileEventView& event) {
  constexpr std::uint64_t k32Bits = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t end = event.end_time;
  if (end < event.start_time) {
    if (event.start_time > k32Bits) return std::nullopt;
    end += k32Bits + 1;
  }
  const std::uint64_t duration = end - event.start_time;
  // A year in nanoseconds: sums of durations stay far from overflow.
  if (duration > std::uint64_t{365} * 86'400 * 1'000'000'000) return std::nullopt;
  return static_cast<std::int64_t>(duration);
}

// Events not yet inside another one, by index.
class Nesting {
 public:
  explicit Nesting(std::vector<TimedEvent>& events) : events_(events) {}

  void add(std::size_t index) {
    TimedEvent& outer = events_[index];
    bool has_inner = false;
    while (!open_.empty() && is_inside(events_[open_.back()], outer)) {
      outer.exclusive_ns -= events_[open_.back()].duration_ns;
      has_inner = true;
      open_.pop_back();
    }
    if (has_inner && is_call(outer.event)) outer.part = Part::kFramework;
    open_.push_back(index);
  }

 private:
  static bool is_inside(const TimedEvent& inner, const TimedEvent& outer) {
    if (outer.part == Part::kExecute) return inner.part != Part::kLoad && inner.part != Part::kExecute;
    if (inner.part == Part::kExecute) return false;
    const bool same_place = inner.event.instruction_id == outer.event.instruction_id &&
                            inner.event.chain_index == outer.event.chain_index;
    if (is_call(outer.event)) return same_place && !is_call(inner.event);
    const bool within = inner.start_ns >= outer.start_ns && inner.event.end_time <= outer.event.end_time;
    if (outer.part == Part::kLoad) return inner.part == Part::kLoad && within;
    // A kernel inside a kernel. Delegate events lie end to end, so an empty one at a border is a neighbour.
    return same_place && within && outer.duration_ns > 0 && inner.duration_ns > 0 &&
           inner.event.is_delegate_event() == outer.event.is_delegate_event() && !is_call(inner.event);
  }

  std::vector<TimedEvent>& events_;
  std::vector<std::size_t> open_;
};

}  // namespace

std::string_view TimedEvent::name() const {
  return event.delegate_debug_name.empty() ? event.name : event.delegate_debug_name;
}

std::int64_t TimedRun::total_ns() const {
  if (execute_ns) return *execute_ns;
  std::int64_t sum = 0;
  for (const TimedEvent& event : events) sum += event.part == Part::kLoad ? 0 : event.exclusive_ns;
  return sum;
}

void time_run(std::string_view name, const std::vector<ProfileEventView>& events, TimedRun& timed) {
  timed.name = name;
  timed.is_execution = name == "Execute";
  timed.execute_ns.reset();
  timed.unusable_events = 0;
  timed.events.clear();
  timed.events.reserve(events.size());
  Nesting nesting(timed.events);
  for (const ProfileEventView& event : events) {
    const auto duration = duration_of(event);
    if (!duration) {
      ++timed.unusable_events;
      continue;
    }
    timed.events.push_back({event, part_of(event), event.start_time, *duration, *duration});
    nesting.add(timed.events.size() - 1);
    if (timed.events.back().part != Part::kExecute) continue;
    timed.is_execution = true;
    timed.execute_ns = timed.execute_ns.value_or(0) + *duration;
  }
}

TimedRun time_run(const formats::etdump::RunData& run) {
  std::vector<ProfileEventView> events;
  events.reserve(run.events.size());
  for (const formats::etdump::Event& any : run.events) {
    if (const auto* event = std::get_if<formats::etdump::ProfileEvent>(&any)) events.push_back(view_of(*event));
  }
  TimedRun timed;
  time_run(run.name, events, timed);
  return timed;
}

}  // namespace etalon::analysis

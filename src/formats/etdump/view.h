// The profile events of an ETDump in place: nothing is copied, so a recording of a million events can be read within
// the memory of its file. decode() (etdump.h) is for those who want to keep or change it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/etdump/etdump.h"

namespace etalon::formats::etdump {

// As ProfileEvent; everything points into the file.
struct ProfileEventView {
  std::string_view name;  // empty on delegate events
  std::string_view delegate_debug_name;
  std::optional<Bytes> delegate_metadata;
  std::uint64_t start_time = 0;
  std::uint64_t end_time = 0;
  std::int32_t chain_index = 0;
  std::int32_t instruction_id = -1;
  std::int32_t delegate_debug_id = -1;

  bool is_delegate_event() const { return delegate_debug_id != -1 || !delegate_debug_name.empty(); }
};

// Points into `event`, which must outlive the view.
ProfileEventView view_of(const ProfileEvent& event);

// A verified file. Read-only, so thread-safe.
class EtDumpView {
 public:
  // `file` must outlive the view and all that it gives out. Accepts and refuses what decode() does, except for events of
  // no kind, which are met when they are read.
  static Result<EtDumpView> open(Bytes file);
  EtDumpView(EtDumpView&&) noexcept;
  EtDumpView& operator=(EtDumpView&&) noexcept;
  ~EtDumpView();

  std::size_t run_count() const;
  std::string_view run_name(std::size_t run) const;
  // The profile events of a run, in the order in which they ended; other events are left out. `out` is cleared first.
  // Errors: kInvalidInput.
  Status read_events(std::size_t run, std::vector<ProfileEventView>& out) const;

 private:
  struct Verified;
  explicit EtDumpView(std::unique_ptr<Verified> verified);
  std::unique_ptr<Verified> verified_;
};

}  // namespace etalon::formats::etdump

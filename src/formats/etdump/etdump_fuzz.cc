// libFuzzer target: the decoder must survive any bytes.
#include <cstddef>
#include <cstdint>

#include "formats/etdump/etdump.h"
#include "formats/etdump/view.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const etalon::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto dump = etalon::formats::etdump::decode(bytes);
  if (dump.ok()) (void)etalon::formats::etdump::encode(*dump).ok();
  const auto view = etalon::formats::etdump::EtDumpView::open(bytes);
  std::vector<etalon::formats::etdump::ProfileEventView> events;
  for (std::size_t run = 0; view.ok() && run < view->run_count(); ++run) {
    (void)view->run_name(run);
    (void)view->read_events(run, events).ok();
  }
  return 0;
}

// Records a run as ExecuTorch does and turns it into an .etdump that its Inspector opens.
//
// Between runs memory is made ready for the next one, so recording an event is a bounds check and a copy. Names are
// borrowed from the method until dump() or write() copies them: keep the method alive until then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/etdump/etdump.h"
#include "runtime/events.h"
#include "trace/kernel_metadata.h"

namespace etalon::trace {

class EtdumpRecorder final : public runtime::EventTracer {
 public:
  // `events_per_run` is a guess from above; a run with more costs an allocation, nothing is lost.
  explicit EtdumpRecorder(runtime::TraceDetail detail = runtime::TraceDetail::kInstructions,
                          std::size_t events_per_run = 1024);

  void begin_block(std::string_view name) override;
  void record(const runtime::Event& event) override;
  runtime::TraceDetail detail() const override { return detail_; }

  // Tells, in each event of a delegate, which kernel it is about. After loading; the method must outlive dump().
  void describe_kernels(const runtime::Method& method) { kernels_ = kernel_metadata(method); }

  std::size_t event_count() const;
  // Times count from the first event, as ExecuTorch's count from its start.
  formats::etdump::EtDump dump() const;
  // Errors: kIo.
  Status write(const std::string& path) const;

 private:
  struct Block {
    std::string_view name;
    std::vector<runtime::Event> events;
  };
  std::uint64_t first_start_ns() const;
  std::vector<std::byte> metadata_of(const runtime::Event& event) const;

  runtime::TraceDetail detail_;
  std::size_t events_per_run_;
  std::vector<Block> blocks_;
  KernelMetadata kernels_;
};

}  // namespace etalon::trace

// One step of a compiled delegate, and what it needs to run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/backend.h"

namespace etalon::native {

// Where a tensor is while the delegate runs: so many bytes into one of the plan's storages.
struct Operand {
  std::uint32_t storage = 0;
  std::int64_t offset_bytes = 0;
};

// What the schedule hands to every operation. `bases` has the address of each storage.
struct RunContext {
  std::byte* const* bases = nullptr;
  std::byte* scratch = nullptr;  // of this worker, 64-byte aligned, as large as any operation asked for

  template <class T = float>
  T* at(const Operand& operand) const {
    return reinterpret_cast<T*>(bases[operand.storage] + operand.offset_bytes);
  }
};

// run() computes this worker's share; every worker of the schedule that may share the operation calls it, and
// no order among them is assumed. It neither allocates nor fails.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void run(const RunContext& context, unsigned worker, unsigned workers) const = 0;

  runtime::DelegateOperation evidence;
  std::size_t scratch_bytes = 0;
  bool is_shared = false;  // worth more than one thread
};

}  // namespace etalon::native

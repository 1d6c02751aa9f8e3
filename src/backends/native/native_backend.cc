#include "backends/native/native_backend.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#if defined(__linux__)
#include <sched.h>
#endif

#include "backends/native/delegate.h"
#include "backends/native/machine.h"
#include "backends/native/self_check.h"
#include "packing_version.h"
#include "runtime/method.h"

namespace etalon::native {
namespace {

unsigned cpus_of_this_process() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0)
    return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
#endif
  return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

// Tiles are rare and their kernels new: they must prove themselves on each machine, which costs some
// microseconds.
bool tiles_are_usable([[maybe_unused]] const platform::CpuInfo& cpu) {
#if defined(__x86_64__)
  return cpu.has("amx_tile") && request_amx() && agrees_with_scalar(kernels::Isa::kAmx, machine_of(cpu));
#else
  return false;
#endif
}

}  // namespace

std::string packing_configuration(const Settings& settings) {
  return fmt::format("{} {} {} {} {} {}", kernels::info_of(settings.cap).name,
                     kernels::name_of(settings.math), settings.winograd,
                     settings.machine.l1_bytes, settings.machine.l2_bytes, ETALON_PACKING_VERSION);
}

Result<std::unique_ptr<NativeBackend>> NativeBackend::create(const Options& options) {
  const platform::CpuInfo cpu = platform::read_cpu_info();
  Settings settings;
  const bool has_amx = tiles_are_usable(cpu);
  ETALON_TRY(settings.cap, choose_isa(options.isa, usable_isas(cpu, has_amx)));
  constexpr unsigned kMaxThreads = 256;
  settings.threads = std::min(options.threads == 0 ? cpus_of_this_process() : options.threads, kMaxThreads);
  settings.math = options.math;
  settings.winograd = options.winograd;
  settings.machine = machine_of(cpu);
  settings.memory_limit = runtime::default_memory_limit();
  return std::unique_ptr<NativeBackend>(new NativeBackend(settings));
}

Result<std::unique_ptr<runtime::Delegate>> NativeBackend::compile(const runtime::DelegateSource& source) {
  ETALON_TRY(auto delegate, NativeDelegate::compile(source, settings_, pool_, memory_));
  return std::unique_ptr<runtime::Delegate>(std::move(delegate));
}

}  // namespace etalon::native

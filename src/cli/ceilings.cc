#include "cli/ceilings.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>

#include "backends/native/machine.h"
#include "cli/ceilings_levels.h"
#include "cli/ceilings_team.h"
#include "kernels/ceilings/ceilings.h"
#include "platform/clock.h"
#include "platform/memory.h"
#include "runtime/aligned_buffer.h"

namespace etalon::cli {
namespace {

using analysis::Ceilings;
using kernels::ComputeLoop;
using kernels::StreamLoop;

// One slice is long against starting the threads and short against what disturbs them.
constexpr double kSliceSeconds = 1e-3;
constexpr std::size_t kLeastSlices = 10;
// As many of the best slices agree on the result.
constexpr std::size_t kBestSlices = 5;
// How long to wait for undisturbed slices: so many times the plan, and several rounds of a busy scheduler.
constexpr double kPatience = 6, kLeastPatienceSeconds = 0.3;

// Memory is streamed piece by piece, so that a slice stays short.
constexpr std::uint64_t kPieceBytes = std::uint64_t{4} << 20;

// Work that can be done in any amount: `run(thread, amount)`.
struct Task {
  std::function<void(std::uint32_t, std::int64_t)> run;
  double units_per_amount = 1;  // of one thread: operations, bytes
};

struct Rate {
  double per_second = 0;
  bool is_disturbed = false;
};

class Stopwatch {
 public:
  explicit Stopwatch(ThreadTeam& team) : team_(team) {}

  // Units per second of all threads together, sustained: the median of the best slices, because everything that
  // disturbs a slice makes it slower. Slices in which a thread waited for a CPU count only if there are no others.
  Rate rate(const Task& task, double seconds) {
    std::int64_t amount = amount_for_a_slice(task);
    const std::uint64_t begin = platform::now_ns();
    const double patience = std::max(kPatience * seconds, kLeastPatienceSeconds);
    std::vector<double> clean, disturbed;
    for (;;) {
      const double passed = static_cast<double>(platform::now_ns() - begin) / 1e9;
      const bool enough = clean.size() >= kBestSlices && clean.size() + disturbed.size() >= kLeastSlices;
      if (passed >= seconds && (enough || passed >= patience) && clean.size() + disturbed.size() > 0) break;
      const TeamTime time = slice(task, amount);
      if (time.is_clean && time.seconds < kSliceSeconds / 2) {
        amount *= 2;  // it was chosen while other work made everything look long
        clean.clear();
        continue;
      }
      const double units = task.units_per_amount * static_cast<double>(amount) * team_.size();
      (time.is_clean ? clean : disturbed).push_back(units / time.seconds);
    }
    if (clean.empty()) return {*std::max_element(disturbed.begin(), disturbed.end()), true};
    return {median_of_the_best(clean), false};
  }

 private:
  static double median_of_the_best(std::vector<double>& rates) {
    std::sort(rates.begin(), rates.end(), std::greater<>());
    return rates[(std::min(rates.size(), kBestSlices) - 1) / 2];
  }

  TeamTime slice(const Task& task, std::int64_t amount) {
    TeamTime time = team_.run([&](std::uint32_t thread) { task.run(thread, amount); });
    time.seconds = std::max(time.seconds, 1e-9);
    return time;
  }

  // Growing slices also bring the clock up to its speed.
  std::int64_t amount_for_a_slice(const Task& task) {
    std::int64_t amount = 1;
    for (;;) {
      const double seconds = slice(task, amount).seconds;
      if (seconds >= kSliceSeconds / 2) {
        return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(amount) * kSliceSeconds / seconds));
      }
      amount *= 2;
    }
  }

  ThreadTeam& team_;
};

bool has_all(const platform::CpuInfo& cpu, std::string_view features) { return features.empty() || cpu.has(features); }

// Why a loop cannot run here; empty: it can.
std::string obstacle_of(const ComputeLoop& loop, const platform::CpuInfo& cpu, const std::vector<kernels::Isa>& usable,
                        bool amx_is_granted) {
  const kernels::IsaInfo& info = kernels::info_of(loop.isa);
  if (std::find(usable.begin(), usable.end(), loop.isa) == usable.end()) {
    const bool has_tiles = cpu.has("amx_tile");
    if (info.name == "amx" && has_tiles && !amx_is_granted) return "the system does not grant its tile registers";
    return fmt::format("this CPU does not have {}", info.features);
  }
  return has_all(cpu, loop.features) ? "" : fmt::format("this CPU does not have {}", loop.features);
}

class Measurement {
 public:
  explicit Measurement(const CeilingsOptions& options) : options_(options), cpu_(platform::read_cpu_info()) {
    amx_is_granted_ = cpu_.has("amx_tile") && native::request_amx();
    usable_ = native::usable_isas(cpu_, amx_is_granted_);
    out_.cpu = cpu_.model;
    for (const kernels::Isa isa : usable_) out_.isas.emplace_back(kernels::info_of(isa).name);
    threads_ = options.threads;
    std::sort(threads_.begin(), threads_.end());
    threads_.erase(std::unique(threads_.begin(), threads_.end()), threads_.end());
  }

  Result<Ceilings> run() {
    choose_loops();
    const std::uint64_t memory = platform::physical_memory_bytes().value_or(0);
    std::size_t all = 0;
    for (const std::uint32_t threads : threads_) all += loops_.size() + 2 * memory_levels(cpu_, threads, memory).size();
    seconds_each_ = options_.seconds / static_cast<double>(std::max<std::size_t>(all, 1));
    all_ = all;
    for (const std::uint32_t threads : threads_) {
      ThreadTeam team(threads);
      measure_arithmetic(team);
      ETALON_CHECKED(measure_memory(team, memory_levels(cpu_, threads, memory)));
    }
    report_progress("");
    return std::move(out_);
  }

 private:
  void choose_loops() {
    for (const ComputeLoop* loop : kernels::compute_loops()) {
      const std::string obstacle = obstacle_of(*loop, cpu_, usable_, amx_is_granted_);
      if (obstacle.empty()) {
        loops_.push_back(loop);
      } else {
        out_.notes.push_back(fmt::format("{} {} ({}) was not measured: {}", kernels::info_of(loop->isa).name, loop->dtype,
                                         loop->method, obstacle));
      }
    }
  }

  void report_progress(std::string_view what) {
    if (options_.progress) options_.progress(what, done_, all_);
  }

  static std::string threads_text(const ThreadTeam& team) {
    return team.size() == 1 ? "1 thread" : fmt::format("{} threads", team.size());
  }

  // Units per second; nothing where the machine was too busy to tell.
  std::optional<double> rate(ThreadTeam& team, const std::string& what, const Task& task) {
    report_progress(what);
    ++done_;
    const Rate found = Stopwatch(team).rate(task, seconds_each_);
    if (!found.is_disturbed) return found.per_second;
    // What it did is no ceiling.
    out_.notes.push_back(fmt::format("{} was not measured: other work took the CPUs all the time", what));
    return std::nullopt;
  }

  void measure_arithmetic(ThreadTeam& team) {
    for (const ComputeLoop* loop : loops_) {
      const std::string isa(kernels::info_of(loop->isa).name);
      Task task;
      task.units_per_amount = static_cast<double>(loop->operations);
      task.run = [loop](std::uint32_t, std::int64_t rounds) { (void)loop->run(rounds); };
      const auto operations = rate(team, fmt::format("{} {}, {}", isa, loop->dtype, threads_text(team)), task);
      if (!operations) continue;
      out_.compute.push_back({isa, std::string(loop->dtype), std::string(loop->method), team.size(), *operations / 1e9});
    }
  }

  Status measure_memory(ThreadTeam& team, const std::vector<MemoryLevel>& levels) {
    const StreamLoop& loop = kernels::stream_loop(usable_.back());
    std::uint64_t most = 0;
    for (const MemoryLevel& level : levels) most = std::max(most, level.bytes_per_thread);
    std::vector<runtime::AlignedBuffer> buffers(team.size());
    for (runtime::AlignedBuffer& buffer : buffers) {
      ETALON_TRY(buffer, runtime::AlignedBuffer::allocate(most), "memory to stream through");
    }
    // Each thread takes its own pages, near the core it runs on.
    team.run([&](std::uint32_t thread) { std::fill_n(buffers[thread].data(), most, std::byte{1}); });
    for (const MemoryLevel& level : levels) add_bandwidth(team, loop, level, buffers);
    return {};
  }

  void add_bandwidth(ThreadTeam& team, const StreamLoop& loop, const MemoryLevel& level,
                     const std::vector<runtime::AlignedBuffer>& buffers) {
    const std::uint64_t bytes = level.bytes_per_thread;
    const std::uint64_t piece = bytes <= 4 * kPieceBytes ? bytes : kPieceBytes;
    const std::uint64_t pieces = bytes / piece;
    const std::string what = fmt::format("{}, {}", level.name, threads_text(team));
    std::atomic<std::uint64_t> sink{0};  // or nobody would want what was read
    std::vector<std::uint64_t> next(team.size(), 0);  // the piece at which each thread goes on
    Task task;
    task.units_per_amount = static_cast<double>(piece);
    task.run = [&](std::uint32_t thread, std::int64_t amount) {
      std::uint64_t sum = 0, at = next[thread];
      for (std::int64_t i = 0; i < amount; ++i, at = (at + 1) % pieces) {
        sum += loop.read(buffers[thread].data() + at * piece, piece);
      }
      next[thread] = at;
      sink.fetch_add(sum, std::memory_order_relaxed);
    };
    const auto read = rate(team, what + ", reading", task);
    // Half is read, the other half written: together the same bytes.
    task.run = [&](std::uint32_t thread, std::int64_t amount) {
      std::uint64_t at = next[thread];
      for (std::int64_t i = 0; i < amount; ++i, at = (at + 1) % pieces) {
        std::byte* data = buffers[thread].data() + at * (piece / 2);
        loop.copy(data + bytes / 2, data, piece / 2);
      }
      next[thread] = at;
    };
    const auto copied = rate(team, what + ", copying", task);
    if (!read || !copied) return;
    out_.bandwidth.push_back({level.name, team.size(), static_cast<double>(bytes * team.size()),
                              static_cast<double>(level.capacity_bytes), *read / 1e9, *copied / 1e9});
  }

  const CeilingsOptions& options_;
  const platform::CpuInfo cpu_;
  bool amx_is_granted_ = false;
  std::vector<kernels::Isa> usable_;
  std::vector<std::uint32_t> threads_;
  std::vector<const ComputeLoop*> loops_;
  double seconds_each_ = 0;
  std::size_t done_ = 0, all_ = 0;
  Ceilings out_;
};

}  // namespace

Result<Ceilings> measure_ceilings(const CeilingsOptions& options) {
  for (const std::uint32_t threads : options.threads) {
    if (threads == 0 || threads > 4096) return invalid_input(fmt::format("{} threads, want 1 to 4096", threads));
  }
  if (options.threads.empty()) return invalid_input("no number of threads to measure with");
  ETALON_TRY(Ceilings ceilings, Measurement(options).run());
  ceilings.measured_at = platform::utc_now();
  return ceilings;
}

}  // namespace etalon::cli

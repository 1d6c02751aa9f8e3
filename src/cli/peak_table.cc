#include "cli/peak_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace etalon::cli {
namespace {

using analysis::BandwidthCeiling;
using analysis::Ceilings;
using analysis::ComputeCeiling;

std::set<std::uint32_t> threads_of(const Ceilings& ceilings) {
  std::set<std::uint32_t> out;
  for (const ComputeCeiling& ceiling : ceilings.compute) out.insert(ceiling.threads);
  for (const BandwidthCeiling& ceiling : ceilings.bandwidth) out.insert(ceiling.threads);
  return out;
}

std::string threads_text(std::uint32_t threads) { return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"); }

std::string bytes_text(double bytes) {
  if (bytes >= 1024 * 1024) return fmt::format("{:.0f} MiB", bytes / (1024 * 1024));
  return fmt::format("{:.0f} KiB", bytes / 1024);
}

bool is_same_row(const ComputeCeiling& a, const ComputeCeiling& b) {
  return a.isa == b.isa && a.dtype == b.dtype && a.method == b.method;
}

std::string compute_rows(const Ceilings& ceilings, const std::set<std::uint32_t>& threads) {
  std::string out;
  for (std::size_t i = 0; i < ceilings.compute.size(); ++i) {
    const ComputeCeiling& row = ceilings.compute[i];
    const auto first = ceilings.compute.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::any_of(ceilings.compute.begin(), first, [&](const auto& other) { return is_same_row(other, row); })) continue;
    out += fmt::format("  {:12} {:10} {:22}", row.isa, row.dtype, row.method);
    for (const std::uint32_t count : threads) {
      const auto found = std::find_if(ceilings.compute.begin(), ceilings.compute.end(), [&](const auto& other) {
        return is_same_row(other, row) && other.threads == count;
      });
      out += found == ceilings.compute.end() ? fmt::format("{:>14}", "-") : fmt::format("{:>14.1f}", found->gflops);
    }
    out += row.dtype == "int8" ? "  GOP/s\n" : "  GFLOP/s\n";
  }
  return out;
}

std::string bandwidth_rows(const Ceilings& ceilings) {
  std::string out;
  for (const BandwidthCeiling& level : ceilings.bandwidth) {
    out += fmt::format("  {:12} {:10} {:>12} {:>14.1f}{:>14.1f}  GB/s\n", level.level, threads_text(level.threads),
                       bytes_text(level.working_set_bytes), level.read_gbps, level.copy_gbps);
  }
  return out;
}

}  // namespace

std::string peak_table(const Ceilings& ceilings, const Console& console) {
  const std::set<std::uint32_t> threads = threads_of(ceilings);
  std::string out = fmt::format("{}, measured {}\n\n", console.bold(ceilings.cpu.empty() ? "unknown CPU" : ceilings.cpu),
                                ceilings.measured_at);
  std::string head = fmt::format("  {:12} {:10} {:22}", "arithmetic", "dtype", "instruction");
  for (const std::uint32_t count : threads) head += fmt::format("{:>14}", threads_text(count));
  out += console.dim(head) + "\n" + compute_rows(ceilings, threads) + "\n";
  out += console.dim(fmt::format("  {:12} {:10} {:>12} {:>14}{:>14}", "bandwidth", "", "streamed", "read", "copy")) + "\n" +
         bandwidth_rows(ceilings);
  if (!ceilings.notes.empty()) out += "\n";
  for (const std::string& note : ceilings.notes) out += console.dim("  " + note) + "\n";
  return out;
}

}  // namespace etalon::cli

#include "report/text.h"

#include <fmt/core.h>

#include <cmath>

namespace etalon::report {
namespace {

std::string range_text(double low, double high) { return fmt::format("{} to {}", low > 0 ? milliseconds(low) : "0", milliseconds(high)); }

}  // namespace

std::string milliseconds(double ms) {
  const double size = std::fabs(ms);
  if (size >= 100) return fmt::format("{:.0f} ms", ms);
  if (size >= 1) return fmt::format("{:.2f} ms", ms);
  if (size >= 0.1) return fmt::format("{:.3f} ms", ms);
  return fmt::format("{:.2f} us", ms * 1000);
}

std::string snr_text(double snr_db) {
  if (std::isfinite(snr_db)) return fmt::format("{:.1f} dB", snr_db);
  return snr_db > 0 ? "equal" : "not finite";
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string bytes_text(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:.2f} GB", bytes / 1e9);
  if (bytes >= 1e6) return fmt::format("{:.1f} MB", bytes / 1e6);
  if (bytes >= 1e3) return fmt::format("{:.1f} kB", bytes / 1e3);
  return fmt::format("{:.0f} B", bytes);
}

std::string evidence_text(const analysis::Evidence& evidence) {
  if (evidence.unit == "ms") return fmt::format("{} {}", evidence.key, milliseconds(evidence.value));
  if (evidence.unit == "share") return fmt::format("{} {}", evidence.key, percent(evidence.value));
  if (evidence.unit == "ns") return fmt::format("{} {}", evidence.key, milliseconds(evidence.value / 1e6));
  if (evidence.unit == "bytes") return fmt::format("{} {}", evidence.key, bytes_text(evidence.value));
  if (evidence.unit == "ratio") return fmt::format("{} {:.2f}x", evidence.key, evidence.value);
  return fmt::format("{} {:g}", evidence.key, evidence.value);
}

std::string saving_text(const analysis::Finding& finding) {
  return finding.saving_high_ms ? range_text(finding.saving_low_ms.value_or(0), *finding.saving_high_ms) : "";
}

std::string saving_text(const analysis::VerifiedAdvice& advice) {
  return advice.predicted_high_ms ? range_text(advice.predicted_low_ms.value_or(0), *advice.predicted_high_ms) : "unknown";
}

std::string verdict_text(const measure::Verdict& verdict) {
  const std::string_view claim = measure::claim_name(verdict.claim);
  if (!std::isfinite(verdict.interval.high)) return fmt::format("{}, ratio {:.3f}, no finite interval", claim, verdict.ratio);
  return fmt::format("{}, ratio {:.3f} [{:.3f}, {:.3f}]", claim, verdict.ratio, verdict.interval.low, verdict.interval.high);
}

std::string isa_text(const analysis::IsaRow& row) {
  if (row.isa == row.wanted_isa || row.wanted_isa.empty()) return row.isa;
  return fmt::format("{} instead of {}{}{}", row.isa, row.wanted_isa, row.reason.empty() ? "" : ": ", row.reason);
}

std::string shown(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t columns = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0U) == 0x80U;  // of a UTF-8 character already counted
    if (!continues && columns == width) {
      // Cut: the last column says so.
      while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) out.pop_back();
      if (!out.empty()) out.back() = '~';
      break;
    }
    if (!continues) ++columns;
    out.push_back(byte < 0x20 || byte == 0x7F ? '?' : c);
  }
  return out;
}

}  // namespace etalon::report

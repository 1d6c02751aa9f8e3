// Formatting numbers and text the same way in every format.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "analysis/finding.h"

namespace etalon::report {

std::string milliseconds(double ms);  // "12.3 ms", "0.0123 ms" as "12.3 us"
std::string snr_text(double snr_db);  // "31.3 dB", "equal", "not finite"
std::string percent(double share);    // "12.3 %"
std::string bytes_text(double bytes);     // "12.3 MB"
std::string evidence_text(const analysis::Evidence& evidence);
std::string saving_text(const analysis::Finding& finding);  // "0 to 1.2 ms"; empty when unknown

// What was predicted; "unknown" where nothing was.
std::string saving_text(const analysis::VerifiedAdvice& advice);

// "faster, ratio 0.623 [0.610, 0.640]"
std::string verdict_text(const measure::Verdict& verdict);

// "avx512", or "avx2 instead of avx512: no kernel of this kind".
std::string isa_text(const analysis::IsaRow& row);

// Control characters (names come from files) become '?', and at most `width` columns remain.
std::string shown(std::string_view text, std::size_t width = 10'000);

}  // namespace etalon::report

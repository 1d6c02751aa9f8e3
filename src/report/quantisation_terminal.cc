#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "report/quantisation.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::LayerCost;
using analysis::LayerCosts;
using analysis::QuantisationSweep;
using analysis::SweepCandidate;

std::string bold(const std::string& text, const Style& style) {
  return style.colour ? "\033[1m" + text + "\033[0m" : text;
}

char letter_of(std::size_t index) {
  constexpr std::size_t kLetters = 26;
  return static_cast<char>(index < kLetters ? 'a' + index : 'A' + (index - kLetters) % kLetters);
}

std::string latency_cells(const SweepCandidate& candidate) {
  if (!candidate.ms) return fmt::format("{:>9}  {:<17}", "-", "");
  return fmt::format("{:>9}  {:<17}", fmt::format("{:.4g}", *candidate.ms),
                     candidate.ms_interval ? fmt::format("{:.4g} to {:.4g}", candidate.ms_interval->low,
                                                         candidate.ms_interval->high)
                                           : "");
}

std::string speed_cell(const SweepCandidate& candidate) {
  if (!candidate.verdict) return "";
  const std::string_view claim = measure::claim_name(candidate.verdict->claim);
  if (candidate.verdict->claim == measure::Claim::kInconclusive || !(candidate.verdict->ratio > 0))
    return std::string(claim);
  return fmt::format("{} {:.2f}x", claim, 1 / candidate.verdict->ratio);
}

std::string share_cell(const std::optional<std::size_t>& count, std::size_t samples) {
  if (!count || samples == 0) return "-";
  return fmt::format("{:.2f} %", 100 * static_cast<double>(*count) / static_cast<double>(samples));
}

// Latency from left to right, SNR from bottom to top; what is exact has a line of its own.
class Scatter {
 public:
  explicit Scatter(const QuantisationSweep& sweep) : sweep_(sweep) {
    for (std::size_t i = 0; i < sweep.candidates.size(); ++i) {
      const SweepCandidate& candidate = sweep.candidates[i];
      if (!candidate.ms) continue;
      slow_ = std::max(slow_, *candidate.ms);
      if (!candidate.snr_db || !std::isfinite(*candidate.snr_db)) continue;
      high_ = std::max(high_, *candidate.snr_db);
      low_ = std::min(low_, *candidate.snr_db);
    }
  }

  std::string text() {
    if (!(slow_ > 0)) return {};
    rows_.assign(kRows + 1, std::string(kColumns, ' '));
    for (std::size_t i = 0; i < sweep_.candidates.size(); ++i) put(i);
    std::string out;
    for (std::size_t row = 0; row <= kRows; ++row)
      out += fmt::format("  {:>9} |{}\n", label(row), rows_[row]);
    out += fmt::format("  {:>9} +{}\n  {:>9}  0{:>{}}\n", "", std::string(kColumns, '-'), "",
                       milliseconds(slow_), kColumns - 1);
    return out;
  }

 private:
  static constexpr std::size_t kRows = 10;
  static constexpr std::size_t kColumns = 60;

  std::string label(std::size_t row) const {
    if (row == 0) return "exact";
    if (!(high_ > low_)) return row == kRows && std::isfinite(high_) ? fmt::format("{:.1f} dB", high_) : "";
    const double share = static_cast<double>(kRows - row) / static_cast<double>(kRows - 1);
    return row == 1 || row == kRows || row == (kRows + 1) / 2
               ? fmt::format("{:.1f} dB", low_ + share * (high_ - low_))
               : "";
  }

  void put(std::size_t index) {
    const SweepCandidate& candidate = sweep_.candidates[index];
    if (!candidate.ms || !candidate.snr_db) return;
    std::size_t row = 0;
    if (!(std::isinf(*candidate.snr_db) && *candidate.snr_db > 0)) {
      if (!std::isfinite(*candidate.snr_db)) return;
      const double share = high_ > low_ ? (*candidate.snr_db - low_) / (high_ - low_) : 0;
      row = kRows - static_cast<std::size_t>(std::lround(share * static_cast<double>(kRows - 1)));
    }
    auto column =
        static_cast<std::size_t>(std::lround(*candidate.ms / slow_ * static_cast<double>(kColumns - 1)));
    // What would fall onto another stands beside it.
    while (column + 1 < kColumns && rows_[row][column] != ' ') ++column;
    while (column > 0 && rows_[row][column] != ' ') --column;
    rows_[row][column] = letter_of(index);
  }

  const QuantisationSweep& sweep_;
  double slow_ = 0, high_ = -HUGE_VAL, low_ = HUGE_VAL;
  std::vector<std::string> rows_;
};

void write_table(const QuantisationSweep& sweep, const Style& style, std::string& out) {
  const auto line = [&out](std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  line(bold(fmt::format("    {:<21} {:>9}  {:<17} {:<15} {:>9} {:>9} {:>9} {:>9}  {}", "candidate", "ms",
                        "95 % interval", "against fp32", "SNR", "as float", sweep.has_labels ? "right" : "",
                        "size", "front"),
            style));
  for (std::size_t i = 0; i < sweep.candidates.size(); ++i) {
    const SweepCandidate& candidate = sweep.candidates[i];
    const std::string front = candidate.dominated_by
                                  ? fmt::format("beaten by {}", letter_of(*candidate.dominated_by))
                                  : "on the front";
    line(fmt::format("  {} {:<21} {} {:<15} {:>9} {:>9} {:>9} {:>9}  {}", letter_of(i),
                     shown(candidate.name, 21), latency_cells(candidate), speed_cell(candidate),
                     decibels(candidate.snr_db), share_cell(candidate.agreeing, sweep.samples),
                     sweep.has_labels ? share_cell(candidate.right, sweep.samples) : "",
                     bytes_text(static_cast<double>(candidate.bytes)), front));
  }
}

void write_recommendation(const QuantisationSweep& sweep, const Style& style, std::string& out) {
  if (!sweep.recommended) return;
  const SweepCandidate& best = sweep.candidates[*sweep.recommended];
  out += bold(fmt::format("recommended: {}", shown(best.name)), style) +
         fmt::format(" ({}): {}\n", best.what, sweep.why);
  out += fmt::format("  etalon export {} {}\n", shown(sweep.model), best.command);
}

std::string names_text(const std::vector<std::string>& names) {
  return shown(names.front(), 40) + (names.size() > 1 ? fmt::format(" and {} more", names.size() - 1) : "");
}

std::string decibel_change(const std::optional<double>& gain) {
  return gain ? fmt::format("{:+.2f} dB", *gain) : "-";
}

}  // namespace

std::string decibels(const std::optional<double>& snr_db) {
  if (!snr_db) return "no signal";
  if (std::isinf(*snr_db)) return *snr_db > 0 ? "exact" : "not finite";
  return fmt::format("{:.1f} dB", *snr_db);
}

std::string layer_sentence(const LayerCost& cost) {
  std::string text =
      cost.gain_db ? (*cost.gain_db >= 0
                          ? fmt::format("costs {:.2f} dB", *cost.gain_db)
                          : fmt::format("costs nothing ({:.2f} dB better than in float)", -*cost.gain_db))
                   : "costs an unknown accuracy";
  if (!cost.saved_ms) return text + " and saves an unknown time: " + cost.why_no_time;
  return text + (*cost.saved_ms >= 0 ? " and saves " : " and takes longer by ") +
         milliseconds(std::fabs(*cost.saved_ms));
}

std::string write_layer_costs_terminal(const LayerCosts& costs, const Style& style, std::size_t most) {
  std::string out =
      bold("layers to leave in float, the most accuracy for the least time first", style) + "\n";
  out += fmt::format("  {:<30} {:<15} {:>10} {:>10} {:>10} {:>10}  {}\n", "layer", "kind", "costs", "float",
                     "int8", "saves", "95 % interval");
  std::size_t rows = 0;
  for (const LayerCost& cost : costs.layers) {
    if (cost.gain_db.value_or(0) <= 0 || rows++ >= most) continue;
    const auto ms = [](const std::optional<double>& value) {
      return value ? milliseconds(*value) : std::string("-");
    };
    std::string line =
        fmt::format("  {:<30} {:<15} {:>10} {:>10} {:>10} {:>10}", shown(cost.name, 30), shown(cost.kind, 15),
                    decibel_change(cost.gain_db), ms(cost.float_ms), ms(cost.int8_ms), ms(cost.saved_ms));
    if (cost.saved_interval)
      line += fmt::format("  {} to {}", milliseconds(cost.saved_interval->low),
                          milliseconds(cost.saved_interval->high));
    if (!cost.why_no_time.empty()) line += "  " + cost.why_no_time;
    out += line + '\n';
    if (!cost.follow.empty()) out += "    with it goes " + names_text(cost.follow) + '\n';
    if (!cost.together_with.empty())
      out += "    times include " + names_text(cost.together_with) + ", which the same kernels compute\n";
  }
  if (rows == 0) out += "  none: no layer alone makes the output closer to float\n";
  if (rows > most) out += fmt::format("  and {} more, all of them in layer_costs.json\n", rows - most);
  if (rows > 0)
    out +=
        fmt::format("  {}: {}; --quant-skip ={} leaves it in float\n", shown(costs.layers.front().name, 40),
                    layer_sentence(costs.layers.front()), shown(costs.layers.front().name));
  out += fmt::format(
      "  end to end {} in float, {} in int8, of which {} and {} belong to no layer (conversions, pooling, "
      "...)\n",
      milliseconds(costs.float_ms), milliseconds(costs.int8_ms), milliseconds(costs.float_outside_ms),
      milliseconds(costs.int8_outside_ms));
  return out;
}

std::string write_sweep_terminal(const QuantisationSweep& sweep, const Style& style) {
  std::string out = fmt::format("{}: {}\n", bold(shown(sweep.model), style), shown(sweep.machine));
  out += fmt::format("  calibrated with {}; accuracy of the files on {} samples ({})\n",
                     shown(sweep.calibrated_on), sweep.samples, shown(sweep.judged_on));
  write_table(sweep, style, out);
  out += '\n';
  out += Scatter(sweep).text();
  out += '\n';
  for (const auto& [name, why] : sweep.left_out)
    out += fmt::format("  not tried: {}: {}\n", shown(name, 40), shown(why));
  for (const std::string& note : sweep.notes) out += fmt::format("  note: {}\n", shown(note));
  write_recommendation(sweep, style, out);
  return out;
}

}  // namespace etalon::report

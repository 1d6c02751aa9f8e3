// The page of a sweep: the scatter and the table.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "report/html/assets.h"
#include "report/html/page.h"
#include "report/quantisation.h"

namespace etalon::report {
namespace {

using analysis::QuantisationSweep;
using analysis::SweepCandidate;

constexpr double kWidth = 900, kHeight = 360, kLeft = 70, kRight = 150, kTop = 20, kBottom = 50;
constexpr double kExactLine = 24;  // between what is exact and the rest

bool is_exact(const SweepCandidate& candidate) {
  return candidate.snr_db && std::isinf(*candidate.snr_db) && *candidate.snr_db > 0;
}
bool is_finite(const SweepCandidate& candidate) {
  return candidate.snr_db && std::isfinite(*candidate.snr_db);
}

// From values to places of the picture.
class Axes {
 public:
  explicit Axes(const QuantisationSweep& sweep) {
    for (const SweepCandidate& candidate : sweep.candidates) {
      if (candidate.ms) slow_ = std::max(slow_, *candidate.ms);
      if (candidate.ms_interval) slow_ = std::max(slow_, candidate.ms_interval->high);
      if (!is_finite(candidate)) continue;
      high_ = std::max(high_, *candidate.snr_db);
      low_ = std::min(low_, *candidate.snr_db);
    }
    if (!(low_ <= high_)) low_ = high_ = 0;
    constexpr double kRoom = 1;
    low_ -= kRoom;
    high_ += kRoom;
  }
  double x(double ms) const { return kLeft + (slow_ > 0 ? ms / slow_ : 0) * (kWidth - kLeft - kRight); }
  double y(const SweepCandidate& candidate) const {
    if (is_exact(candidate)) return kTop;
    return y(*candidate.snr_db);
  }
  double y(double snr) const {
    return kTop + kExactLine + (high_ - snr) / (high_ - low_) * (kHeight - kTop - kExactLine - kBottom);
  }
  double low() const { return low_; }
  double high() const { return high_; }
  double slow() const { return slow_; }

 private:
  double slow_ = 0, low_ = HUGE_VAL, high_ = -HUGE_VAL;
};

void write_axes(const Axes& axes, Page& page) {
  constexpr int kMarks = 4;
  page.line("<text x={:.0f} y={:.0f} text-anchor=end>exact</text>", kLeft - 8, kTop + 4);
  for (int i = 0; i <= kMarks; ++i) {
    const double share = static_cast<double>(i) / kMarks;
    const double snr = axes.low() + share * (axes.high() - axes.low()), ms = share * axes.slow();
    page.line(
        "<line x1={:.1f} x2={:.1f} y1={:.1f} y2={:.1f} class=grid /><text x={:.0f} y={:.1f} "
        "text-anchor=end>{:.1f} dB</text>",
        kLeft, kWidth - kRight, axes.y(snr), axes.y(snr), kLeft - 8, axes.y(snr) + 4, snr);
    page.line("<text x={:.1f} y={:.0f} text-anchor=middle>{}</text>", axes.x(ms), kHeight - kBottom + 22,
              milliseconds(ms));
  }
}

// Where names stand, so that none lies on another.
class Labels {
 public:
  double find(double x, double y) {
    double at = y - 5;
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& [other_x, other_y] : places_) {
        if (std::fabs(other_x - x) > kWidest || std::fabs(other_y - at) >= kLineHeight) continue;
        at = other_y + kLineHeight;
        moved = true;
      }
    }
    places_.emplace_back(x, at);
    return at;
  }

 private:
  static constexpr double kWidest = 140, kLineHeight = 14;
  std::vector<std::pair<double, double>> places_;
};

void write_point(const QuantisationSweep& sweep, std::size_t index, const Axes& axes, Labels& places,
                 Page& page) {
  const SweepCandidate& candidate = sweep.candidates[index];
  if (!candidate.ms || !(is_exact(candidate) || is_finite(candidate))) return;
  const double x = axes.x(*candidate.ms), y = axes.y(candidate);
  const bool best = sweep.recommended == index;
  const char* kind = best ? "best" : candidate.dominated_by ? "beaten" : "front";
  if (candidate.ms_interval) {
    page.line("<line x1={:.1f} x2={:.1f} y1={:.1f} y2={:.1f} class={} />", axes.x(candidate.ms_interval->low),
              axes.x(candidate.ms_interval->high), y, y, kind);
  }
  page.line("<circle cx={:.1f} cy={:.1f} r={} class={}><title>{}: {}, {}</title></circle>", x, y,
            best ? 7 : 5, kind, escaped(candidate.name, 60), milliseconds(*candidate.ms),
            decibels(candidate.snr_db));
  if (candidate.dominated_by) return;  // the pointer tells its name; letters would lie on each other
  const double letters_y = places.find(x, y);
  page.line("<text x={:.1f} y={:.1f}>{}</text>", x + 9, letters_y, escaped(candidate.name, 40));
}

void write_scatter(const QuantisationSweep& sweep, Page& page) {
  const Axes axes(sweep);
  page.line(
      "<h2>Latency and accuracy</h2>\n<div class=box><svg class=sweep viewBox=\"0 0 {:.0f} {:.0f}\" "
      "width=\"100%\" role=img "
      "aria-label=\"Latency from left to right, signal over error from bottom to top\">",
      kWidth, kHeight);
  write_axes(axes, page);
  Labels places;
  for (std::size_t i = 0; i < sweep.candidates.size(); ++i) write_point(sweep, i, axes, places, page);
  page.line(
      "</svg></div>\n<p class=dim>Filled: on the front, nothing is shown to beat them. Hollow: beaten. Bars: "
      "95 % intervals of the median.</p>");
}

std::string share_text(const std::optional<std::size_t>& count, std::size_t samples) {
  return count && samples > 0 ? percent(static_cast<double>(*count) / static_cast<double>(samples)) : "-";
}

void write_row(const QuantisationSweep& sweep, std::size_t index, Page& page) {
  const SweepCandidate& candidate = sweep.candidates[index];
  page.line("<tr><td>{}{}<br><small>{}</small><br><code>{}</code></td>", escaped(candidate.name, 60),
            sweep.recommended == index ? " <b class=faster>recommended</b>" : "",
            escaped(candidate.what, 200), escaped(candidate.command, 1000));
  page.number(candidate.ms, candidate.ms ? milliseconds(*candidate.ms) : "-");
  page.line("<td class=n>{}</td><td>{}</td>",
            candidate.ms_interval ? fmt::format("{} to {}", milliseconds(candidate.ms_interval->low),
                                                milliseconds(candidate.ms_interval->high))
                                  : "-",
            candidate.verdict ? escaped(verdict_text(*candidate.verdict)) : "");
  page.number(candidate.snr_db, decibels(candidate.snr_db));
  page.number(candidate.max_error, candidate.max_error ? fmt::format("{:.3g}", *candidate.max_error) : "-");
  page.line("<td class=n>{}</td>", share_text(candidate.agreeing, sweep.samples));
  if (sweep.has_labels) page.line("<td class=n>{}</td>", share_text(candidate.right, sweep.samples));
  page.number(static_cast<double>(candidate.bytes), bytes_text(static_cast<double>(candidate.bytes)));
  page.line("<td>{}</td></tr>",
            candidate.dominated_by
                ? "beaten by " + escaped(sweep.candidates[*candidate.dominated_by].name, 60)
                : "on the front");
}

void write_table(const QuantisationSweep& sweep, Page& page) {
  page.line(
      "<h2>Candidates</h2>\n<div class=box><table class=wide><thead><tr><th scope=col>candidate</th><th "
      "scope=col class=n>median</th>"
      "<th scope=col class=n>95 % interval</th><th scope=col>against fp32</th><th scope=col "
      "class=n>SNR</th><th scope=col class=n>max error</th>"
      "<th scope=col class=n>class as in float</th>{}<th scope=col class=n>size</th><th "
      "scope=col>front</th></tr></thead><tbody>",
      sweep.has_labels ? "<th scope=col class=n>right class</th>" : "");
  for (std::size_t i = 0; i < sweep.candidates.size(); ++i) write_row(sweep, i, page);
  page.line("</tbody></table></div>");
}

}  // namespace

std::string write_sweep_html(const QuantisationSweep& sweep) {
  Page page;
  page.line(
      "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta name=viewport "
      "content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src data:; base-uri 'none'; "
      "form-action 'none'\">\n<title>Quantisations of {}</title>\n<link rel=icon href=\"data:,\">\n<style>",
      escaped(sweep.model, 100));
  page.text(kPageStyle);
  page.line(
      "td code{{white-space:normal}}.sweep text{{fill:var(--ink);font-size:12px}}.sweep "
      ".grid{{stroke:var(--line)}}.sweep "
      "line.front,.sweep line.best{{stroke:var(--cand);stroke-width:2}}"
      ".sweep line.beaten{{stroke:var(--dim)}}.sweep circle.front{{fill:var(--cand)}}.sweep "
      "circle.best{{fill:var(--good)}}"
      ".sweep circle.beaten{{fill:none;stroke:var(--dim);stroke-width:2}}");
  page.line(
      "</style>\n</head>\n<body>\n<header class=top><div><h1><bdi>Quantisations of {}</bdi></h1><p "
      "class=dim>{}; calibrated with {}; accuracy on {} samples ({})</p></div></header>\n"
      "<main id=content>",
      escaped(sweep.model, 100), escaped(sweep.machine), escaped(sweep.calibrated_on), sweep.samples,
      escaped(sweep.judged_on));
  if (sweep.recommended) {
    const SweepCandidate& best = sweep.candidates[*sweep.recommended];
    page.line("<p><b>Recommended: {}</b> ({}): {}<br><code>etalon export {} {}</code></p>",
              escaped(best.name), escaped(best.what), escaped(sweep.why, 400), escaped(sweep.model),
              escaped(best.command, 1000));
  }
  write_scatter(sweep, page);
  write_table(sweep, page);
  for (const auto& [name, why] : sweep.left_out)
    page.line("<p class=dim>Not tried: {}: {}</p>", escaped(name), escaped(why, 400));
  for (const std::string& note : sweep.notes) page.line("<p class=dim>{}</p>", escaped(note, 400));
  page.line("</main>\n</body>\n</html>");
  return page.take();
}

}  // namespace etalon::report

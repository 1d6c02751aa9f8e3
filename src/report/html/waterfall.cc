// The difference of two runs, taken apart: from one end-to-end time to the other in steps that add up.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Comparison;
using analysis::WaterfallStep;

struct Span {
  Scale scale;
  bool from_zero;
};

// From 0 where the difference is large enough to be seen against the whole, else only its neighbourhood.
Span span_of(const Comparison& comparison) {
  double low = std::min(comparison.baseline_ms, comparison.candidate_ms);
  double high = std::max(comparison.baseline_ms, comparison.candidate_ms);
  double reached = comparison.baseline_ms;
  for (const WaterfallStep& step : comparison.waterfall) {
    const double next = reached + step.delta_ms;
    low = std::min({low, next, next + (step.interval_ms ? step.interval_ms->low - step.delta_ms : 0)});
    high = std::max({high, next, next + (step.interval_ms ? step.interval_ms->high - step.delta_ms : 0)});
    reached = next;
  }
  if (high - low > 0.15 * high) return {Scale(std::min(low, 0.0), high, false, 0.5), true};
  return {Scale(low - 0.15 * (high - low), high + 0.05 * (high - low), false, 0.5), false};
}

void write_whole(std::string_view name, double ms, std::string_view kind, const Scale& scale, Page& page) {
  const double left = scale.at(std::max(scale.low(), 0.0));
  page.line("<div class=row><div><b><bdi>{}</bdi></b></div><svg class=track aria-hidden=true><rect class={} x=\"{:.2f}%\" width=\"{:.2f}%\" "
            "y=6 height=18 rx=2 /></svg><div class=val><b>{}</b></div></div>",
            escaped(name, 80), kind, left, std::max(scale.at(ms) - left, 0.2), milliseconds(ms));
}

void write_step(const WaterfallStep& step, double from, const Scale& scale, Page& page) {
  const double to = from + step.delta_ms;
  const std::string_view kind = step.delta_ms < 0 ? "less" : "more";
  const double left = scale.at(std::min(from, to));
  std::string detail(analysis::step_kind_name(step.kind));
  if (step.operators > 0) detail += fmt::format(", {} operator{}", step.operators, step.operators == 1 ? "" : "s");
  page.line("<div class=row><div><bdi>{}</bdi><small>{}</small></div><svg class=track aria-hidden=true>", escaped(step.name, 90), detail);
  page.line("<line class=join x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=-6 y2=6 />", scale.at(from));
  page.line("<rect class={} x=\"{:.2f}%\" width=\"{:.2f}%\" y=6 height=18 rx=2 />", kind, left,
            std::max(scale.at(std::max(from, to)) - left, 0.2));
  if (step.interval_ms && std::isfinite(step.interval_ms->low) && std::isfinite(step.interval_ms->high)) {
    page.line("<line class=whisker x1=\"{:.2f}%\" x2=\"{:.2f}%\" y1=15 y2=15 />", scale.at(from + step.interval_ms->low),
              scale.at(from + step.interval_ms->high));
  }
  page.line("</svg><div class=val><span class={}>{}{}</span>", kind, step.delta_ms > 0 ? "+" : "", milliseconds(step.delta_ms));
  if (step.interval_ms) {
    page.line("<small>{} to {}</small>", milliseconds(step.interval_ms->low), milliseconds(step.interval_ms->high));
  }
  page.line("</div></div>");
}

}  // namespace

void write_waterfall(const Comparison& comparison, Page& page) {
  if (comparison.waterfall.empty()) return;
  const Span span = span_of(comparison);
  page.line("<h4>Where the difference comes from</h4><div class=rows>");
  write_whole(comparison.baseline, comparison.baseline_ms, "whole", span.scale, page);
  double reached = comparison.baseline_ms;
  for (const WaterfallStep& step : comparison.waterfall) {
    write_step(step, reached, span.scale, page);
    reached += step.delta_ms;
  }
  write_whole(comparison.candidate, comparison.candidate_ms, "cand", span.scale, page);
  page.line("</div>");
  if (!span.from_zero) page.line("<p class=dim>The axis does not begin at zero: it shows {} to {}.</p>", milliseconds(span.scale.low()), milliseconds(span.scale.high()));
}

}  // namespace etalon::report

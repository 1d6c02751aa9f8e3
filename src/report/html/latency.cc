// Latencies of every run, and every single time that was measured.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Report;
using analysis::RunResult;

void write_results(const Report& report, Page& page) {
  if (report.manifest.results.empty()) return;
  page.line("<div class=box><table class=wide data-sortable><thead><tr><th scope=col>run</th><th scope=col class=n>median</th><th scope=col class=n>p95</th>"
            "<th scope=col class=n>min</th><th scope=col class=n>max</th><th scope=col class=n>variation</th><th scope=col class=n>runs</th>"
            "<th scope=col class=n>first</th><th scope=col class=n>load</th><th scope=col class=n>peak memory</th></tr></thead><tbody>");
  for (const RunResult& result : report.manifest.results) {
    const std::string detail = result.status == "ok" ? escaped(result.mode + (result.isa.empty() ? "" : ", " + result.isa), 60)
                                                     : fmt::format("<span class=more>{}: {}</span>", escaped(result.status, 20), escaped(result.error, 300));
    page.line("<tr><td>{}<br><small>{}</small></td>", escaped(analysis::run_name(result.experiment, result.threads), 80), detail);
    for (const auto& value : {result.median_ms, result.p95_ms, result.min_ms, result.max_ms}) page.number(value, optional_ms(value));
    page.number(result.cv_percent, result.cv_percent ? fmt::format("{:.1f} %", *result.cv_percent) : "-");
    page.number(static_cast<double>(result.latency_ms.size()), fmt::format("{}", result.latency_ms.size()));
    page.number(result.first_ms, optional_ms(result.first_ms));
    page.number(result.load_ms, optional_ms(result.load_ms));
    page.number(result.peak_rss_bytes, result.peak_rss_bytes ? bytes_text(*result.peak_rss_bytes) : "-");
    page.line("</tr>");
  }
  page.line("</tbody></table></div>");
}

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  std::size_t runs = 0;
};

Extent extent_of(const measure::ArmSamples& arm) {
  Extent extent;
  for (const auto& launch : arm.launches) {
    for (const auto& block : launch.blocks) {
      for (const double ms : block.runs_ms) {
        extent.low = std::min(extent.low, ms);
        extent.high = std::max(extent.high, ms);
        ++extent.runs;
      }
    }
  }
  return extent;
}

// A point is a line of no length with a round end: a few bytes each, and as round on any screen.
void add_point(std::string& path, double x, double y) { path += fmt::format("M{:.4g} {:.4g}h0", x, y); }

void write_arm(const std::string& name, const measure::ArmSamples& arm, Page& page) {
  const Extent extent = extent_of(arm);
  if (extent.runs == 0 || extent.low <= 0) return;
  const bool logarithmic = extent.high > 3 * extent.low;
  const Scale up(extent.low, std::max(extent.high, extent.low * 1.001), logarithmic, 6);
  std::string steady, shaky, voided, bands;
  std::size_t done = 0, blocks = 0, launches = 0;
  const auto place = [&](std::size_t run) { return 1000 * (static_cast<double>(run) + 0.5) / static_cast<double>(extent.runs); };
  for (const auto& launch : arm.launches) {
    const std::size_t first = done;
    for (const auto& block : launch.blocks) {
      ++blocks;
      for (const double ms : block.runs_ms) add_point(block.voided ? voided : block.disturbed ? shaky : steady, place(done++), 100 - up.at(ms));
    }
    if (launches++ % 2 == 1 && done > first) {
      bands += fmt::format("<rect x={:.4g} width={:.4g} y=0 height=100 />", place(first) - 500.0 / static_cast<double>(extent.runs),
                           1000 * static_cast<double>(done - first) / static_cast<double>(extent.runs));
    }
  }
  page.line("<h4><bdi>{}</bdi></h4><div class=samples><div class=y aria-hidden=true><span>{}</span><span>{}</span></div>", escaped(name, 100),
            milliseconds(extent.high), milliseconds(extent.low));
  page.line("<svg viewBox=\"0 0 1000 100\" preserveAspectRatio=none role=img aria-label=\"{} times between {} and {}\">{}", extent.runs,
            milliseconds(extent.low), milliseconds(extent.high), bands);
  for (const auto& [kind, path] : {std::pair("", &steady), std::pair("shaky", &shaky), std::pair("void", &voided)}) {
    if (!path->empty()) page.line("<path class=\"{}\" vector-effect=non-scaling-stroke d=\"{}\"/>", kind, *path);
  }
  page.line("</svg><div class=x>{} runs in order, {} blocks, {} launches (shaded in turn){}</div></div>", extent.runs, blocks, launches,
            logarithmic ? "; logarithmic" : "");
}

void write_samples(const Report& report, Page& page) {
  bool any_control = false;
  for (const analysis::RunSamples& samples : report.samples) {
    for (const auto& arm : samples.recording.arms) {
      write_arm(samples.recording.arms.size() > 1 ? analysis::run_name(arm.name, arm.threads) : samples.run, arm, page);
    }
    any_control = any_control || !samples.recording.control.empty();
  }
  if (!any_control) return;
  page.line("<details><summary>The A/A control's times</summary>");
  for (const analysis::RunSamples& samples : report.samples) {
    for (const auto& arm : samples.recording.control) write_arm("control: " + arm.name, arm, page);
  }
  page.line("</details>");
}

}  // namespace

void write_latency(const Report& report, Page& page) {
  if (report.manifest.results.empty() && report.samples.empty()) return;
  page.line("<section id=latency class=long><h2>Latency</h2>");
  write_results(report, page);
  if (!report.samples.empty()) {
    page.line("<h3>Every measured time</h3>");
    write_samples(report, page);
  }
  page.line("</section>");
}

}  // namespace etalon::report

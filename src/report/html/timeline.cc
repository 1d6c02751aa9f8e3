// One recorded run as it passed: instructions, and inside them kernels and delegate operators.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/html/sections.h"
#include "report/slices.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Profile;

// The last execution: steady where any is.
const SlicedRun* last_execution(const std::vector<SlicedRun>& runs) {
  const SlicedRun* last = nullptr;
  for (const SlicedRun& run : runs) {
    if (run.block == "Execute") last = &run;
  }
  return last;
}

double step_of(double whole) {
  const double rough = std::max(whole, 1e-3) / 8;
  const double unit = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (unit * factor >= rough) return unit * factor;
  }
  return unit * 10;
}

}  // namespace

void write_timeline(const Profile& profile, const analysis::Timeline& timeline, Page& page) {
  constexpr double kRow = 24;
  const std::vector<SlicedRun> runs = slice_runs(timeline.rows);
  const SlicedRun* run = last_execution(runs);
  if (run == nullptr || run->slices.empty()) return;
  std::map<std::string_view, std::string_view> categories;
  for (const analysis::OperatorRow& row : profile.operators) categories[row.name] = row.category;
  double whole = 0;
  std::size_t depth = 0;
  for (const Slice& slice : run->slices) {
    whole = std::max(whole, slice.end_us);
    depth = std::max(depth, slice.depth);
  }
  if (whole <= 0) return;
  const std::string id = "timeline-" + anchor(profile.name);
  page.line("<h4>Timeline of one run</h4><div class=\"tools needjs\"><label for=\"{0}-zoom\">Zoom</label><input type=range id=\"{0}-zoom\" min=0 max=6 "
            "step=0.25 value=0 data-zooms=\"{0}\"></div>", id);
  page.line("<div class=tl id=\"{}\" tabindex=0 role=img aria-label=\"{} events over {}; the table above holds the numbers\"><div style=\"height:{:.0f}px\">", id,
            run->slices.size(), milliseconds(whole / 1000), (static_cast<double>(depth) + 1) * kRow + 20);
  const double step = step_of(whole);
  for (int i = 0; i * step < 0.94 * whole; ++i) page.line("<em style=\"left:{:.3f}%\">{}</em>", 100 * i * step / whole, milliseconds(i * step / 1000));
  for (const Slice& slice : run->slices) {
    const auto category = categories.find(slice.row->name);
    page.line("<i class={} style=\"left:{:.3f}%;width:{:.3f}%;top:{:.0f}px\" title=\"{} {}\">{}</i>",
              category == categories.end() ? std::string("cf") : category_class(category->second), 100 * slice.start_us / whole,
              100 * (slice.end_us - slice.start_us) / whole, static_cast<double>(slice.depth) * kRow + 2, escaped(slice.row->name, 120),
              milliseconds(slice.row->duration_ms), escaped(slice.row->name, 60));
  }
  page.line("</div></div>");
}

}  // namespace etalon::report

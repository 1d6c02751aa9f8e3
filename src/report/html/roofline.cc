// Operators under the machine's measured ceilings: speed against arithmetic per byte, both logarithmic.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::BandwidthCeiling;
using analysis::Ceilings;
using analysis::ComputeCeiling;
using analysis::OperatorRow;
using analysis::Profile;

struct Ranges {
  double least_x = 0.2, most_x = 100;   // operations per byte
  double least_y = 1, most_y = 10;       // GFLOP/s
};

bool has_place(const OperatorRow& row) {
  return row.flops && row.bytes && row.gflops_per_second && *row.flops > 0 && *row.bytes > 0 && *row.gflops_per_second > 0;
}

// The ceilings of this profile's threads, or of the most below.
template <class Ceiling>
std::vector<const Ceiling*> of_threads(const std::vector<Ceiling>& all, std::uint32_t threads) {
  std::uint32_t best = 0;
  for (const Ceiling& one : all) {
    if (one.threads <= std::max(threads, 1U)) best = std::max(best, one.threads);
  }
  std::vector<const Ceiling*> chosen;
  for (const Ceiling& one : all) {
    if (one.threads == best) chosen.push_back(&one);
  }
  return chosen;
}

// The best of each dtype; of the profile's own alone where it is known and was measured.
std::vector<const ComputeCeiling*> compute_of(const Profile& profile, const Ceilings& ceilings) {
  std::vector<const ComputeCeiling*> best;
  for (const ComputeCeiling* one : of_threads(ceilings.compute, profile.threads)) {
    const auto place = std::find_if(best.begin(), best.end(), [&](const ComputeCeiling* known) { return known->dtype == one->dtype; });
    if (place == best.end()) best.push_back(one);
    else if (one->gflops > (*place)->gflops) *place = one;
  }
  const auto own = std::find_if(best.begin(), best.end(), [&](const ComputeCeiling* one) { return one->dtype == profile.dtype; });
  if (own != best.end()) return {*own};
  return best;
}

Ranges ranges_of(const Profile& profile, const std::vector<const ComputeCeiling*>& compute) {
  Ranges ranges;
  ranges.least_y = std::numeric_limits<double>::infinity();
  for (const OperatorRow& row : profile.operators) {
    if (!has_place(row)) continue;
    const double intensity = *row.flops / *row.bytes;
    ranges.least_x = std::min(ranges.least_x, intensity / 1.5);
    ranges.most_x = std::max(ranges.most_x, intensity * 1.5);
    ranges.least_y = std::min(ranges.least_y, *row.gflops_per_second / 1.5);
    ranges.most_y = std::max(ranges.most_y, *row.gflops_per_second * 1.5);
  }
  for (const ComputeCeiling* one : compute) ranges.most_y = std::max(ranges.most_y, one->gflops * 1.6);
  ranges.least_y = std::clamp(ranges.least_y, 1e-3, ranges.most_y / 10);
  return ranges;
}

void write_grid(const Scale& across, const Scale& up, Page& page) {
  for (double mark = std::pow(10, std::ceil(std::log10(across.low()))); mark <= across.high(); mark *= 10) {
    page.line("<line class=grid x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=\"0%\" y2=\"100%\" /><text x=\"{0:.2f}%\" y=\"99%\" dx=3>{1:g}</text>", across.at(mark), mark);
  }
  for (double mark = std::pow(10, std::ceil(std::log10(up.low()))); mark <= up.high(); mark *= 10) {
    page.line("<line class=grid x1=\"0%\" x2=\"100%\" y1=\"{0:.2f}%\" y2=\"{0:.2f}%\" /><text x=3 y=\"{0:.2f}%\" dy=-3>{1:g}</text>", 100 - up.at(mark), mark);
  }
}

void write_roofs(const std::vector<const ComputeCeiling*>& compute, const std::vector<const BandwidthCeiling*>& bandwidth, const Scale& across,
                 const Scale& up, Page& page) {
  double peak = 0;
  for (const ComputeCeiling* one : compute) peak = std::max(peak, one->gflops);
  for (const BandwidthCeiling* level : bandwidth) {
    if (level->read_gbps <= 0) continue;
    // The line y = bandwidth x, from where it enters the picture to where the highest peak ends it.
    const double from = std::max(across.low(), up.low() / level->read_gbps);
    const double to = std::min(across.high(), peak / level->read_gbps);
    if (from >= to) continue;
    page.line("<line class=\"roofline bw\" x1=\"{:.2f}%\" y1=\"{:.2f}%\" x2=\"{:.2f}%\" y2=\"{:.2f}%\" />", across.at(from), 100 - up.at(from * level->read_gbps),
              across.at(to), 100 - up.at(to * level->read_gbps));
    const double middle = std::sqrt(from * to);
    page.line("<text x=\"{:.2f}%\" y=\"{:.2f}%\" dx=-6 dy=-4 text-anchor=end>{} {:.0f} GB/s</text>", across.at(middle), 100 - up.at(middle * level->read_gbps),
              escaped(level->level, 20), level->read_gbps);
  }
  for (const ComputeCeiling* one : compute) {
    const double y = 100 - up.at(one->gflops);
    page.line("<line class=roofline x1=\"0%\" x2=\"100%\" y1=\"{0:.2f}%\" y2=\"{0:.2f}%\" /><text x=\"99%\" y=\"{0:.2f}%\" dy=-4 text-anchor=end>{1} {2} {3:.0f} GFLOP/s</text>",
              y, escaped(one->dtype, 20), escaped(one->isa, 30), one->gflops);
  }
}

}  // namespace

void write_roofline(const Profile& profile, const Ceilings& ceilings, Page& page) {
  if (std::none_of(profile.operators.begin(), profile.operators.end(), has_place)) return;
  const std::vector<const ComputeCeiling*> compute = compute_of(profile, ceilings);
  const Ranges ranges = ranges_of(profile, compute);
  const Scale across(ranges.least_x, ranges.most_x, true, 0);
  const Scale up(ranges.least_y, ranges.most_y, true, 0);
  page.line("<h4>Roofline</h4><p class=dim>GFLOP/s against operations per byte; a dot is an operator, its area its time. Ceilings were measured on this machine.</p>"
            "<div class=plot><svg class=roof role=img aria-label=\"Speed of {} operators against the ceilings of the machine; the table above holds the numbers\">",
            profile.operators.size());
  write_grid(across, up, page);
  write_roofs(compute, of_threads(ceilings.bandwidth, profile.threads), across, up, page);
  for (const OperatorRow& row : profile.operators) {
    if (!has_place(row)) continue;
    std::string colour = category_class(row.category);
    colour.front() = 'f';
    page.line("<circle class={} cx=\"{:.2f}%\" cy=\"{:.2f}%\" r=\"{:.1f}\"><title>{}: {}, {:.1f} GFLOP/s{}</title></circle>", colour,
              across.at(*row.flops / *row.bytes), 100 - up.at(*row.gflops_per_second), std::clamp(3 + 28 * std::sqrt(std::max(row.share, 0.0)), 3.0, 16.0),
              escaped(row.name, 80), milliseconds(row.avg_ms), *row.gflops_per_second, row.share_of_roof ? ", " + percent(*row.share_of_roof) + " of the roof" : "");
  }
  page.line("</svg></div>");
}

}  // namespace etalon::report

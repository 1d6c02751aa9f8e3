// Memory by cause, all runs under one scale.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "report/html/sections.h"

namespace etalon::report {
namespace {

using analysis::MemoryLedger;
using analysis::Profile;

struct Cause {
  const char* name;
  const char* colour;
  std::optional<double> MemoryLedger::*bytes;
};
constexpr std::array<Cause, 4> kCauses = {{{"weights", "c0", &MemoryLedger::weights},
                                           {"packed weights", "c5", &MemoryLedger::packed_weights},
                                           {"activations", "c1", &MemoryLedger::activations},
                                           {"workspace", "c3", &MemoryLedger::workspace}}};

bool has_any(const Profile& profile) {
  const MemoryLedger& memory = profile.memory;
  return memory.peak_rss || memory.baseline_rss ||
         std::any_of(kCauses.begin(), kCauses.end(), [&](const Cause& cause) { return (memory.*cause.bytes).has_value(); });
}

std::string text_of(const std::optional<double>& bytes) { return bytes ? bytes_text(*bytes) : "-"; }

void write_bar(const Profile& profile, double most, Page& page) {
  page.line("<div class=bar><b><bdi>{}</bdi></b><div class=stack aria-hidden=true>", escaped(profile.name, 80));
  for (const Cause& cause : kCauses) {
    const auto& bytes = profile.memory.*cause.bytes;
    if (bytes && *bytes > 0) page.line("<i class={} style=\"width:{:.3f}%\" title=\"{} {}\"></i>", cause.colour, 100 * *bytes / most, cause.name, bytes_text(*bytes));
  }
  page.line("</div><span>{}</span></div>", text_of(profile.memory.peak_rss));
}

}  // namespace

void write_memory(const analysis::Report& report, Page& page) {
  if (std::none_of(report.profiles.begin(), report.profiles.end(), has_any)) return;
  double most = 1;
  for (const Profile& profile : report.profiles) {
    double sum = 0;
    for (const Cause& cause : kCauses) sum += (profile.memory.*cause.bytes).value_or(0);
    most = std::max({most, sum, profile.memory.peak_rss.value_or(0)});
  }
  page.line("<section id=memory><h2>Memory</h2><div class=bars>");
  for (const Profile& profile : report.profiles) {
    if (has_any(profile)) write_bar(profile, most, page);
  }
  page.line("</div><ul class=key>");
  for (const Cause& cause : kCauses) page.line("<li><i class={}></i>{}</li>", cause.colour, cause.name);
  page.line("</ul><div class=box><table><thead><tr><th scope=col>run</th>");
  for (const Cause& cause : kCauses) page.line("<th scope=col class=n>{}</th>", cause.name);
  page.line("<th scope=col class=n>process before loading</th><th scope=col class=n>peak of the process</th></tr></thead><tbody>");
  for (const Profile& profile : report.profiles) {
    if (!has_any(profile)) continue;
    page.line("<tr><td>{}</td>", escaped(profile.name, 80));
    for (const Cause& cause : kCauses) page.number(profile.memory.*cause.bytes, text_of(profile.memory.*cause.bytes));
    page.number(profile.memory.baseline_rss, text_of(profile.memory.baseline_rss));
    page.number(profile.memory.peak_rss, text_of(profile.memory.peak_rss));
    page.line("</tr>");
  }
  page.line("</tbody></table></div><p class=dim>The number beside a bar is the peak of the whole process; a full bar is the largest of all.</p></section>");
}

}  // namespace etalon::report

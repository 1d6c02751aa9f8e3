// Where the time goes, all runs under one scale.
#include <fmt/core.h>

#include <algorithm>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Profile;

struct Part {
  std::string name;
  double ms = 0;
};

std::vector<Part> parts_of(const Profile& profile) {
  std::vector<Part> parts;
  for (const analysis::CategoryRow& row : profile.categories) parts.push_back({row.name, row.ms});
  parts.push_back({"framework", profile.accounting.framework_ms});
  parts.push_back({"residual", profile.accounting.residual_ms});
  return parts;
}

void write_key(const std::vector<Profile>& profiles, Page& page) {
  std::vector<std::string> names;
  for (const Profile& profile : profiles) {
    for (const Part& part : parts_of(profile)) {
      if (std::find(names.begin(), names.end(), part.name) == names.end()) names.push_back(part.name);
    }
  }
  std::stable_partition(names.begin(), names.end(), [](const std::string& n) { return n != "framework" && n != "residual"; });
  page.line("<ul class=key>");
  for (const std::string& name : names) page.line("<li><i class={}></i>{}</li>", category_class(name), escaped(name, 60));
  page.line("</ul>");
}

void write_table(const std::vector<Profile>& profiles, Page& page) {
  page.line("<div class=box><table><thead><tr><th scope=col>run</th><th scope=col class=n>operators</th><th scope=col class=n>framework</th>"
            "<th scope=col class=n>residual</th><th scope=col class=n>end to end</th><th scope=col class=n>untraced</th>"
            "<th scope=col class=n>cost of recording</th><th scope=col class=n>first</th><th scope=col class=n>load</th></tr></thead><tbody>");
  for (const Profile& profile : profiles) {
    const analysis::Accounting& account = profile.accounting;
    page.line("<tr><td>{}<br><small>{} steady, {} cold runs{}</small></td>", escaped(profile.name, 80), profile.steady_runs, profile.cold_runs,
              profile.microsecond_events ? "; whole microseconds" : "");
    for (const double ms : {account.operators_ms, account.framework_ms, account.residual_ms, account.end_to_end_ms}) page.number(ms, milliseconds(ms));
    page.number(account.untraced_ms, optional_ms(account.untraced_ms));
    page.number(account.trace_overhead, account.trace_overhead ? percent(*account.trace_overhead) : "-");
    page.number(profile.cold_ms, optional_ms(profile.cold_ms));
    page.number(profile.load_ms, optional_ms(profile.load_ms));
    page.line("</tr>");
  }
  page.line("</tbody></table></div><p class=dim>Operators, framework (dispatch around kernels) and residual (in no instruction) add up to the end to end. "
            "Operator times are scaled to the untraced median where it is known.</p>");
}

}  // namespace

void write_breakdown(const analysis::Report& report, Page& page) {
  if (report.profiles.empty()) return;
  double longest = 0;
  for (const Profile& profile : report.profiles) longest = std::max(longest, profile.accounting.end_to_end_ms);
  page.line("<section id=time><h2>Where the time goes</h2><div class=bars>");
  for (const Profile& profile : report.profiles) {
    page.line("<div class=bar><b><bdi>{}</bdi></b><div class=stack aria-hidden=true>", escaped(profile.name, 80));
    for (const Part& part : parts_of(profile)) {
      if (part.ms <= 0 || longest <= 0) continue;
      page.line("<i class={} style=\"width:{:.3f}%\" title=\"{} {}\"></i>", category_class(part.name), 100 * part.ms / longest, escaped(part.name, 60),
                milliseconds(part.ms));
    }
    page.line("</div><span>{}</span></div>", milliseconds(profile.accounting.end_to_end_ms));
  }
  page.line("</div>");
  write_key(report.profiles, page);
  write_table(report.profiles, page);
  page.line("</section>");
}

}  // namespace etalon::report

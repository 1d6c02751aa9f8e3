// One self-contained page: nothing is fetched, and without its script it still shows everything.
#include <fmt/core.h>

#include <array>

#include "report/html/assets.h"
#include "report/html/sections.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Report;

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string title_of(const Report& report) {
  if (!report.model.empty()) return "Profile of " + escaped(name_of(report.model), 100);
  if (report.comparisons.size() == 1 && report.run_dir.empty()) return "Comparison of two runs";
  return "Profile of a recording";
}

void write_head(const Report& report, Page& page) {
  const std::string title = title_of(report);
  page.line("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
            "base-uri 'none'; form-action 'none'\">\n<title>{}</title>\n<link rel=icon href=\"data:,\">\n<style>", title);
  page.text(kPageStyle);
  page.line("</style>\n</head>\n<body>\n<a class=skip href=\"#content\">Skip to the content</a>");
  page.line("<header class=top><div><h1><bdi>{}</bdi></h1>", title);
  const analysis::Manifest& manifest = report.manifest;
  std::string about;
  const auto cpu = manifest.device.find("cpu");
  for (const std::string& part : {cpu == manifest.device.end() ? std::string() : cpu->second, manifest.generated_at, manifest.tool}) {
    if (!part.empty()) about += (about.empty() ? "" : " \u00b7 ") + escaped(part, 80);
  }
  page.line("<p class=dim>{}</p></div><button type=button class=\"theme needjs\" id=theme>Dark</button></header>", about);
}

// The sections that the page has, told by the ids in its text.
void write_contents(const std::string& body, Page& page) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kSections = {{{"verdict", "Verdict"},
                                                                                       {"table", "Variants"},
                                                                                       {"time", "Time"},
                                                                                       {"findings", "Findings"},
                                                                                       {"advice", "Advice"},
                                                                                       {"differences", "Changes"},
                                                                                       {"runs", "Operators"},
                                                                                       {"latency", "Latency"},
                                                                                       {"memory", "Memory"}}};
  page.line("<nav class=toc aria-label=Sections><ul>");
  for (const auto& [id, name] : kSections) {
    if (body.find(fmt::format("<section id={}", id)) != std::string::npos) page.line("<li><a href=\"#{}\">{}</a></li>", id, name);
  }
  page.line("<li><a href=\"#environment\">Environment</a></li></ul></nav>");
}

// In a script element only "<" could end the text early; JSON has it in strings alone.
std::string as_script_data(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') out += "\\u003c";
    else out += c;
  }
  return out;
}

}  // namespace

std::string write_html(const Report& report) {
  Page body;
  write_cards(report, body);
  write_verdicts(report, body);
  write_factor_table(report, body);
  write_breakdown(report, body);
  write_findings(report, body);
  write_advice(report, body);
  write_comparisons(report, body);
  write_runs(report, body);
  write_latency(report, body);
  write_memory(report, body);
  write_environment(report, body);
  const std::string content = body.take();
  Page page;
  write_head(report, page);
  write_contents(content, page);
  page.line("<main id=content>");
  page.text(content);
  page.line("</main>\n<footer>One file, nothing fetched: it can be kept, sent and opened from disk. The data behind it are inside.</footer>");
  page.line("<script type=\"application/json\" id=etalon-bundle>{}</script>", as_script_data(write_bundle(report)));
  page.line("<script>");
  page.text(kPageScript);
  page.line("</script>\n</body>\n</html>");
  return page.take();
}

}  // namespace etalon::report

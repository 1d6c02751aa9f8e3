// What was run on what, so that it can be run again: files, hashes, machine, commands.
#include <fmt/core.h>

#include "report/html/sections.h"

namespace etalon::report {
namespace {

using analysis::Manifest;
using analysis::Report;

void write_entry(std::string_view name, const std::string& value, Page& page) {
  if (!value.empty()) page.line("<dt>{}</dt><dd>{}</dd>", escaped(name, 60), escaped(value, 1200));
}

std::string file_text(const analysis::FileIdentity& file) {
  std::string text = file.path;
  if (file.size_bytes) text += fmt::format(" ({})", bytes_text(static_cast<double>(*file.size_bytes)));
  if (!file.hash.empty()) text += " " + file.hash;
  return text;
}

void write_model(const analysis::ModelFacts& facts, Page& page) {
  page.line("<h3>The model</h3><dl><dt>File</dt><dd>{}</dd><dt>Parameters</dt><dd>{:.2f} million</dd><dt>Constants</dt><dd>{} in the program, {} in delegates</dd>"
            "<dt>Planned memory</dt><dd>{}</dd><dt>Instructions</dt><dd>{} operator calls, {} delegate calls with {} operators</dd></dl>",
            bytes_text(facts.file_bytes), facts.parameters / 1e6, bytes_text(facts.constant_bytes), bytes_text(facts.delegate_bytes), bytes_text(facts.planned_bytes),
            facts.operator_calls, facts.delegates, facts.delegated_nodes);
}

void write_again(const Report& report, Page& page) {
  if (report.run_dir.empty()) return;
  page.line("<h3>To do it again</h3><pre><code>");
  if (!report.manifest.config.path.empty()) page.line("etalon profile {}", escaped(report.manifest.config.path, 400));
  page.line("etalon validate {0}\netalon report {0} --format html -o report.html", escaped(report.run_dir, 400));
  page.line("</code></pre>");
}

}  // namespace

void write_environment(const Report& report, Page& page) {
  const Manifest& manifest = report.manifest;
  page.line("<section id=environment><h2>Environment</h2>");
  if (report.facts) write_model(*report.facts, page);
  page.line("<h3>The measurement</h3><dl>");
  write_entry("Model", manifest.model.path.empty() ? report.model : file_text(manifest.model), page);
  write_entry("Configuration", manifest.config.path.empty() ? "" : file_text(manifest.config), page);
  write_entry("Export record", report.etrecord, page);
  write_entry("Run folder", report.run_dir, page);
  write_entry("Measured", manifest.generated_at, page);
  write_entry("Tool", manifest.tool, page);
  write_entry("Design", manifest.design.empty() ? "" : fmt::format("{} (seed {})", manifest.design, manifest.seed), page);
  if (manifest.executorch.present) write_entry("ExecuTorch", manifest.executorch.version + " " + manifest.executorch.sha, page);
  page.line("</dl>");
  if (!manifest.device.empty()) {
    page.line("<h3>The machine</h3><dl>");
    for (const auto& [name, value] : manifest.device) write_entry(name, value, page);
    page.line("</dl>");
  }
  if (!report.notes.empty()) {
    page.line("<h3>Notes</h3><ul>");
    for (const std::string& note : report.notes) page.line("<li>{}</li>", escaped(note, 600));
    page.line("</ul>");
  }
  write_again(report, page);
  page.line("<p class=needjs><button type=button id=save-json>Save the data of this report as JSON</button></p></section>");
}

}  // namespace etalon::report

// Everything behind a page, in one JSON object: the report, the manifest and the raw samples, so that it can be judged again.
#include "report/writers.h"

namespace etalon::report {

// Composed of the JSON texts that the parts have anyway; paths come from files and are written by the JSON writers alone.
std::string write_bundle(const analysis::Report& report) {
  std::string out = "{\"schema\": \"etalon.bundle/1\",\n\"report\": " + write_json(report);
  if (!report.manifest.results.empty()) out += ",\n\"manifest\": " + analysis::manifest_json(report.manifest, report.run_dir);
  out += ",\n\"samples\": [";
  for (std::size_t i = 0; i < report.samples.size(); ++i) {
    out += (i == 0 ? "\n" : ",\n") + measure::recording_to_json(report.samples[i].recording);
  }
  return out + "]}\n";
}

}  // namespace etalon::report

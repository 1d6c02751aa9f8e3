#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "report/writers.h"

namespace etalon::report {
namespace {

// RFC 4180; a cell that a spreadsheet would take for a formula is quoted with a leading apostrophe.
std::string cell(std::string_view text) {
  std::string out(text);
  if (!out.empty() && (out.front() == '=' || out.front() == '@')) out.insert(out.begin(), '\'');
  if (out.find_first_of(",\"\r\n") == std::string::npos) return out;
  std::string quoted = "\"";
  for (const char c : out) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

struct TypeTotal {
  std::string type;
  std::string backend;
  std::string category;
  std::size_t count = 0;
  double ms = 0;
};

std::string type_of(const std::string& name) { return name.substr(0, name.rfind(" #")); }

std::vector<TypeTotal> totals_of(const analysis::Profile& profile) {
  std::vector<TypeTotal> totals;
  for (const analysis::OperatorRow& row : profile.operators) {
    const std::string type = type_of(row.name);
    auto place = std::find_if(totals.begin(), totals.end(), [&](const TypeTotal& total) {
      return total.type == type && total.backend == row.backend;
    });
    if (place == totals.end()) place = totals.insert(totals.end(), {type, row.backend, row.category, 0, 0});
    ++place->count;
    place->ms += row.avg_ms;
  }
  totals.push_back({"framework", "runtime", "framework", 1, profile.accounting.framework_ms});
  totals.push_back({"residual", "runtime", "residual", 1, profile.accounting.residual_ms});
  std::stable_sort(totals.begin(), totals.end(),
                   [](const TypeTotal& a, const TypeTotal& b) { return a.ms > b.ms; });
  return totals;
}

}  // namespace

std::string write_timeline_csv(const std::string& model_id, const std::vector<analysis::TimelineRow>& rows) {
  std::string out = std::string(kTimelineHeader) + "\n";
  const std::string id = cell(model_id);
  for (const analysis::TimelineRow& row : rows) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{:.3f},{:.3f},{:.6f},{:.4f},{},{},{},{:.6f}\n", id,
                   cell(row.name), cell(row.type), cell(row.backend), row.start_us, row.end_us,
                   row.duration_ms, row.percent_of_run, row.node_id, row.run_index, cell(row.block),
                   row.exclusive_ms);
  }
  return out;
}

std::string write_stats_csv(const std::string& model_id, const analysis::Profile& profile) {
  std::string out = std::string(kStatsHeader) + "\n";
  const double whole = profile.accounting.end_to_end_ms;
  for (const TypeTotal& total : totals_of(profile)) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{:.6f},{:.6f},{:.4f},{}\n", cell(model_id),
                   cell(total.type), cell(total.type), cell(total.backend), total.count, total.ms,
                   total.ms / static_cast<double>(total.count), whole > 0 ? 100 * total.ms / whole : 0,
                   cell(total.category));
  }
  return out;
}

std::string write_kernels_csv(const std::string& model_id, const std::vector<analysis::KernelRow>& kernels) {
  std::string out = std::string(kKernelsHeader) + "\n";
  for (const analysis::KernelRow& kernel : kernels) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{:d},{:d},", cell(model_id),
                   cell(kernel.name), cell(kernel.category), kernel.count, cell(kernel.dtype),
                   cell(kernel.op), cell(kernel.variant), cell(kernel.shape), cell(kernel.arch),
                   kernel.has_sme(), kernel.has_sme2());
    if (kernel.operation.empty()) {
      out += ",,,,,,,\n";
      continue;
    }
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{}\n", kernel.instruction, cell(kernel.operation),
                   cell(kernel.isa), cell(kernel.wanted_isa), cell(kernel.reason), cell(kernel.tile), kernel.threads,
                   cell(kernel.operator_shape));
  }
  return out;
}

std::string write_csv(const analysis::Report& report) {
  const auto number = [](const std::optional<double>& value) { return value ? fmt::format("{:.6g}", *value) : std::string(); };
  std::string out =
      "run,name,op_type,category,backend,avg_ms,median_ms,traced_avg_ms,share,calls,dtype,kernel_hint,"
      "source,isa,isa_wanted,isa_reason,shape,flops,bytes,gflops_per_second,gbytes_per_second,share_of_roof,bound\n";
  for (const analysis::Profile& profile : report.profiles) {
    for (const analysis::OperatorRow& row : profile.operators) {
      const std::string source = row.source ? fmt::format("{}:{}", row.source->file, row.source->line) : "";
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:g},{},{},{},",
                     cell(profile.name), cell(row.name), cell(row.op_type), cell(row.category),
                     cell(row.backend), row.avg_ms, row.median_ms, row.traced_avg_ms, row.share, row.calls,
                     cell(row.dtype), cell(row.kernel_hint), cell(source));
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{}\n", cell(row.isa), cell(row.wanted_isa), cell(row.isa_reason),
                     cell(row.shape), number(row.flops), number(row.bytes), number(row.gflops_per_second), number(row.gbytes_per_second),
                     number(row.share_of_roof), cell(row.bound));
    }
  }
  return out;
}

}  // namespace etalon::report

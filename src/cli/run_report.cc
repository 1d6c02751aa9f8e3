#include "cli/run_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "platform/memory.h"

namespace etalon::cli {
namespace {

using Json = nlohmann::ordered_json;
using Tag = ops::Value::Tag;

std::string tensor_type(const TensorView& tensor) {
  return std::string(name_of(tensor.dtype())) + to_string(tensor.sizes());
}

void add_types(const ops::Value& value, std::vector<std::string>& out) {
  if (value.is(Tag::kTensor)) out.push_back(tensor_type(*value.as_tensor()));
  if (!value.is(Tag::kTensorList)) return;
  for (const TensorView* item : value.as_tensors()) out.push_back(item == nullptr ? "None" : tensor_type(*item));
}

Json kernel_json(const KernelRecord& record) {
  Json out = {{"instruction", record.instruction}, {"operator", record.operation}, {"kernel", record.kernel},
              {"isa", record.isa}, {"isa_wanted", record.wanted_isa}};
  const auto put = [&](const char* name, const std::string& text) {
    if (!text.empty()) out[name] = text;
  };
  put("reason", record.reason);
  put("backend", record.backend);
  put("tile", record.tile);
  put("shape", record.shape);
  out["threads"] = record.threads;
  if (!record.inputs.empty()) out["inputs"] = record.inputs;
  if (!record.outputs.empty()) out["outputs"] = record.outputs;
  out["flops"] = record.flops;
  if (!record.backend.empty()) {
    out["bytes"] = record.bytes;
    return out;
  }
  out["read_bytes"] = record.read_bytes;
  out["written_bytes"] = record.written_bytes;
  return out;
}

KernelRecord call_record(std::size_t instruction, const runtime::InstructionInfo& info) {
  KernelRecord record;
  record.instruction = instruction;
  record.operation = std::string(info.operation);
  record.kernel = info.kernel->name;
  record.isa = info.kernel->isa;
  record.wanted_isa = info.kernel->wanted_isa;
  record.reason = info.kernel->reason;
  for (std::size_t a = 0; a < info.call->arg_count(); ++a) add_types(info.call->arg(a), record.inputs);
  for (std::size_t o = 0; o < info.call->out_count(); ++o) add_types(info.call->out_value(o), record.outputs);
  if (info.op->def->flops != nullptr) record.flops = info.op->def->flops(*info.call);
  const ops::Traffic traffic = ops::traffic_of(*info.call);
  record.read_bytes = traffic.read_bytes;
  record.written_bytes = traffic.written_bytes;
  return record;
}

KernelRecord part_record(std::size_t instruction, std::string_view backend, const runtime::DelegateOperation& part) {
  KernelRecord record;
  record.instruction = instruction;
  record.operation = part.name;
  record.backend = std::string(backend);
  record.kernel = part.kernel;
  record.isa = part.isa;
  record.wanted_isa = part.wanted_isa;
  record.reason = part.reason;
  record.tile = part.tile;
  record.shape = part.shape;
  record.threads = part.threads;
  record.flops = part.flops;
  record.bytes = part.bytes;
  return record;
}

Json output_json(const OutputSummary& output) {
  Json out = {{"index", output.index}, {"dtype", output.dtype}, {"sizes", output.sizes}};
  if (std::isfinite(output.mean)) out.update({{"min", output.min}, {"mean", output.mean}, {"max", output.max}});
  if (output.not_finite > 0) out["not_finite"] = output.not_finite;
  return out;
}

}  // namespace

std::vector<KernelRecord> kernel_records(const runtime::Method& method) {
  std::vector<KernelRecord> records;
  for (std::size_t i = 0; i < method.instruction_count(); ++i) {
    const runtime::InstructionInfo info = method.instruction(i);
    if (info.kernel != nullptr) records.push_back(call_record(i, info));
    if (info.delegate == nullptr) continue;
    for (const runtime::DelegateOperation& part : info.delegate->operations()) {
      records.push_back(part_record(i, info.operation, part));
    }
  }
  return records;
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
}

std::string to_json(const RunReport& report, const std::vector<KernelRecord>* kernels) {
  Json out = {{"schema", "etalon-run/1"}, {"model", report.model},           {"method", report.method},
              {"engine", report.engine},  {"engine_wanted", report.engine_wanted}};
  if (!report.engine_version.empty()) out["engine_version"] = report.engine_version;
  if (!report.engine_revision.empty()) out["engine_revision"] = report.engine_revision;
  if (!report.isa.empty()) out["isa"] = report.isa;
  if (!report.isa_wanted.empty()) out["isa_wanted"] = report.isa_wanted;
  out["threads"] = report.threads;
  if (report.threads_wanted > 0) out["threads_wanted"] = report.threads_wanted;
  out["warmup"] = report.warmup;
  out["load_ms"] = report.load_ms;
  if (report.first_ms) out["first_ms"] = *report.first_ms;
  out["runs_ms"] = report.runs_ms;
  if (!report.runs_ms.empty()) {
    out["median_ms"] = percentile(report.runs_ms, 0.5);
    out["p95_ms"] = percentile(report.runs_ms, 0.95);
  }
  if (report.memory_bytes > 0) out["memory_bytes"] = report.memory_bytes;
  if (const auto peak = platform::peak_rss_bytes()) out["peak_rss_bytes"] = *peak;
  const auto faults = platform::page_faults();
  out["page_faults"] = {{"minor", faults.minor}, {"major", faults.major}};
  for (const OutputSummary& output : report.outputs) out["outputs"].push_back(output_json(output));
  if (!report.notes.empty()) out["notes"] = report.notes;
  if (kernels != nullptr) {
    Json list = Json::array();
    for (const KernelRecord& record : *kernels) list.push_back(kernel_json(record));
    out["kernels"] = std::move(list);
  }
  // Model paths may hold any bytes; JSON may not.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string summary_of(const RunReport& report, const Console& console) {
  std::string engine = report.engine;
  if (!report.engine_version.empty()) engine += " " + report.engine_version;
  std::string text = fmt::format("{}: method {}, engine {}, {} thread{}\n", console.bold(report.model), report.method,
                                 engine, report.threads, report.threads == 1 ? "" : "s");
  text += fmt::format("  load {:.3f} ms  first {:.3f} ms", report.load_ms, report.first_ms.value_or(0));
  if (!report.runs_ms.empty()) {
    text += fmt::format("  median {:.3f} ms  p95 {:.3f} ms  ({} run{})", percentile(report.runs_ms, 0.5),
                        percentile(report.runs_ms, 0.95), report.runs_ms.size(), report.runs_ms.size() == 1 ? "" : "s");
  }
  if (report.memory_bytes > 0) text += fmt::format("  memory {:.1f} MB", static_cast<double>(report.memory_bytes) / 1e6);
  return text + "\n";
}

Status write_json(const std::string& path, const std::string& json) {
  if (path != "-") return write_file(path, json);
  if (std::fwrite(json.data(), 1, json.size(), stdout) != json.size()) return io_error("cannot write to stdout");
  return {};
}

}  // namespace etalon::cli

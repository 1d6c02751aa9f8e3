#include <map>

#include "cli/inspect/describe.h"
#include "formats/bpte/bpte.h"
#include "formats/npy/npy.h"
#include "formats/pte/pte.h"
#include "formats/ptd/ptd.h"

namespace etalon::cli {
namespace {

namespace pte = formats::pte;

std::vector<std::int64_t> widened(const std::vector<std::int32_t>& sizes) { return {sizes.begin(), sizes.end()}; }

std::string value_text(const pte::EValue& value) {
  if (const auto* tensor = std::get_if<pte::Tensor>(&value)) {
    return tensor_text(tensor->dtype, widened(tensor->sizes), tensor->dynamism != pte::ShapeDynamism::kStatic);
  }
  constexpr const char* kNames[] = {"None", "int", "bool", "float", "tensor", "str", "int[]", "float[]", "bool[]", "tensor[]", "tensor?[]"};
  return kNames[value.index()];
}

Json values_json(const pte::ExecutionPlan& plan, const std::vector<std::int32_t>& indices) {
  Json list = Json::array();
  for (const std::int32_t index : indices) list.push_back(value_text(plan.values[static_cast<std::size_t>(index)]));
  return list;
}

Json operator_counts(const pte::ExecutionPlan& plan) {
  std::map<std::string, int> counts;
  for (const pte::Chain& chain : plan.chains) {
    for (const pte::Instruction& instruction : chain.instructions) {
      if (const auto* call = std::get_if<pte::KernelCall>(&instruction)) {
        ++counts[plan.operators[static_cast<std::size_t>(call->op_index)].full_name()];
      } else if (const auto* delegate = std::get_if<pte::DelegateCall>(&instruction)) {
        ++counts["delegate " + plan.delegates[static_cast<std::size_t>(delegate->delegate_index)].id];
      } else {
        constexpr const char* kNames[] = {"", "", "move", "jump if false", "free"};
        ++counts[kNames[instruction.index()]];
      }
    }
  }
  return Json(counts);
}

Json plan_json(const pte::ExecutionPlan& plan) {
  std::size_t instructions = 0;
  for (const pte::Chain& chain : plan.chains) instructions += chain.instructions.size();
  std::int64_t planned = 0;
  for (const std::int64_t size : plan.planned_buffer_sizes) planned += size;
  Json delegates = Json::array();
  for (const pte::Delegate& delegate : plan.delegates) delegates.push_back({{"id", delegate.id}, {"payload_bytes", delegate.payload.size()}});
  return {{"name", plan.name},
          {"inputs", values_json(plan, plan.inputs)},
          {"outputs", values_json(plan, plan.outputs)},
          {"values", plan.values.size()},
          {"instructions", instructions},
          {"planned_memory_bytes", planned},
          {"operators", operator_counts(plan)},
          {"delegates", delegates}};
}

}  // namespace

Result<Json> describe_pte(Bytes file) {
  ETALON_TRY(const pte::Program program, pte::decode(file));
  Json methods = Json::array();
  for (const pte::ExecutionPlan& plan : program.plans) methods.push_back(plan_json(plan));
  Json named = Json::array();
  for (const pte::NamedData& data : program.named_data) named.push_back({{"key", data.key}, {"bytes", data.data.size()}});
  std::uint64_t segment_bytes = 0;
  for (const pte::Segment& segment : program.segments) segment_bytes += segment.size;
  return Json{{"kind", "pte"},
              {"bytes", file.size()},
              {"extended_header", program.has_extended_header},
              {"segments", program.segments.size()},
              {"segment_bytes", segment_bytes},
              {"constants", program.constants.offsets.empty() ? program.inline_constants.size() : program.constants.offsets.size() - 1},
              {"constant_bytes", program.constants.data.size()},
              {"methods", methods},
              {"named_data", named}};
}

Result<Json> describe_bpte(Bytes file) {
  ETALON_TRY(const formats::bpte::BundledProgram bundle, formats::bpte::decode(file));
  Json suites = Json::array();
  for (const auto& suite : bundle.suites) suites.push_back({{"method", suite.method}, {"test_cases", suite.cases.size()}});
  ETALON_TRY(Json program, describe_pte(bundle.program), "bundled program");
  return Json{{"kind", "bpte"}, {"bytes", file.size()}, {"version", bundle.version}, {"suites", suites}, {"program", std::move(program)}};
}

Result<Json> describe_ptd(Bytes file) {
  ETALON_TRY(const formats::ptd::FlatTensor flat, formats::ptd::decode(file));
  Json entries = Json::array();
  for (const auto& entry : flat.entries) {
    Json row = {{"key", entry.key}, {"bytes", entry.data.size()}};
    if (entry.layout) row["tensor"] = tensor_text(entry.layout->dtype, widened(entry.layout->sizes));
    entries.push_back(std::move(row));
  }
  return Json{{"kind", "ptd"}, {"bytes", file.size()}, {"version", flat.version}, {"entries", entries}};
}

Result<Json> describe_npy(Bytes file) {
  ETALON_TRY(const formats::npy::Array array, formats::npy::decode(file));
  return Json{{"kind", "npy"}, {"bytes", file.size()}, {"dtype", array.descr}, {"shape", array.shape}, {"fortran_order", array.fortran_order}};
}

}  // namespace etalon::cli

#include "analysis/ceilings.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "analysis/json_reading.h"

namespace etalon::analysis {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// ---- the roofline ----

// The number of threads whose ceilings apply: the largest measured one that is not above `wanted`.
template <class Ceiling>
std::uint32_t threads_to_use(const std::vector<Ceiling>& ceilings, std::uint32_t wanted) {
  std::uint32_t best = 0;
  for (const Ceiling& ceiling : ceilings) {
    if (ceiling.threads <= std::max(wanted, 1u)) best = std::max(best, ceiling.threads);
  }
  return best;
}

// Place in the order of `isas`; nothing for one that is not among them.
std::optional<std::size_t> rank_of(const Ceilings& ceilings, std::string_view isa) {
  const auto found = std::find(ceilings.isas.begin(), ceilings.isas.end(), isa);
  if (found == ceilings.isas.end()) return std::nullopt;
  return static_cast<std::size_t>(found - ceilings.isas.begin());
}

bool is_allowed(const Ceilings& ceilings, const ComputeCeiling& ceiling, std::string_view isa) {
  const auto cap = rank_of(ceilings, isa);
  if (!cap) return true;
  const auto own = rank_of(ceilings, ceiling.isa);
  return own && *own <= *cap;
}

const ComputeCeiling* best_of(const Ceilings& ceilings, std::string_view dtype, std::string_view isa,
                              std::uint32_t threads) {
  const std::uint32_t use = threads_to_use(ceilings.compute, threads);
  const ComputeCeiling* best = nullptr;
  for (const ComputeCeiling& ceiling : ceilings.compute) {
    if (ceiling.dtype != dtype || ceiling.threads != use || !is_allowed(ceilings, ceiling, isa)) continue;
    if (best == nullptr || ceiling.gflops > best->gflops) best = &ceiling;
  }
  return best;
}

const ComputeCeiling* compute_ceiling(const Ceilings& ceilings, std::string_view dtype, std::string_view isa,
                                      std::uint32_t threads) {
  if (dtype == "uint8" || dtype == "int4") dtype = "int8";  // the same instructions
  const ComputeCeiling* best = best_of(ceilings, dtype, isa, threads);
  const bool is_half = dtype == "float16" || dtype == "bfloat16";
  return best == nullptr && is_half ? best_of(ceilings, "float32", isa, threads) : best;
}

const BandwidthCeiling* bandwidth_ceiling(const Ceilings& ceilings, double bytes, std::uint32_t threads) {
  const std::uint32_t use = threads_to_use(ceilings.bandwidth, threads);
  const auto capacity = [](const BandwidthCeiling& level) {
    return level.capacity_bytes > 0 ? level.capacity_bytes : HUGE_VAL;
  };
  const BandwidthCeiling* best = nullptr;
  for (const BandwidthCeiling& level : ceilings.bandwidth) {
    if (level.threads != use || capacity(level) < bytes) continue;
    if (best == nullptr || capacity(level) < capacity(*best)) best = &level;
  }
  return best;
}

bool is_amount(double value) { return std::isfinite(value) && value >= 0; }

// ---- reading ----

Result<double> positive(const json& object, const char* name) {
  const auto value = number_member(object, name);
  if (value && *value > 0) return *value;
  return invalid_input(fmt::format("'{}' is not a positive number", name));
}

Result<std::uint32_t> threads_of(const json& object) {
  const auto value = count_member(object, "threads");
  if (value && *value > 0 && *value <= 65536) return static_cast<std::uint32_t>(*value);
  return invalid_input("'threads' is not a number of threads");
}

Result<std::string> name_member(const json& object, const char* name) {
  std::string text = text_member(object, name);
  if (text.empty()) return invalid_input(fmt::format("'{}' is missing", name));
  return text;
}

Result<ComputeCeiling> read_compute(const json& object) {
  ComputeCeiling out;
  ETALON_TRY(out.isa, name_member(object, "isa"));
  ETALON_TRY(out.dtype, name_member(object, "dtype"));
  out.method = text_member(object, "method");
  ETALON_TRY(out.threads, threads_of(object));
  ETALON_TRY(out.gflops, positive(object, "gflops"));
  return out;
}

Result<BandwidthCeiling> read_bandwidth(const json& object) {
  BandwidthCeiling out;
  ETALON_TRY(out.level, name_member(object, "level"));
  ETALON_TRY(out.threads, threads_of(object));
  ETALON_TRY(out.working_set_bytes, positive(object, "working_set_bytes"));
  // Memory has none.
  if (member(object, "capacity_bytes") != nullptr) {
    ETALON_TRY(out.capacity_bytes, positive(object, "capacity_bytes"));
  }
  ETALON_TRY(out.read_gbps, positive(object, "read_gbps"));
  ETALON_TRY(out.copy_gbps, positive(object, "copy_gbps"));
  return out;
}

template <class Ceiling>
Status read_list(const json& root, const char* name, Result<Ceiling> (*read)(const json&), std::vector<Ceiling>& out) {
  const json* list = member(root, name);
  if (list == nullptr || !list->is_array()) return invalid_input(fmt::format("ceilings have no list '{}'", name));
  for (std::size_t i = 0; i < list->size(); ++i) {
    ETALON_TRY(Ceiling ceiling, read((*list)[i]), fmt::format("{}[{}]", name, i));
    out.push_back(std::move(ceiling));
  }
  return {};
}

std::vector<std::string> texts(const json& root, const char* name) {
  std::vector<std::string> out;
  const json* list = member(root, name);
  if (list == nullptr || !list->is_array()) return out;
  for (const json& item : *list) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

}  // namespace

std::optional<Roof> roof_of(const Ceilings& ceilings, double flops, double bytes, std::string_view dtype,
                            std::string_view isa, std::uint32_t threads) {
  if (!is_amount(flops) || !is_amount(bytes) || (flops == 0 && bytes == 0)) return std::nullopt;
  const ComputeCeiling* compute = flops > 0 ? compute_ceiling(ceilings, dtype, isa, threads) : nullptr;
  if (flops > 0 && compute == nullptr) return std::nullopt;
  const BandwidthCeiling* level = bytes > 0 ? bandwidth_ceiling(ceilings, bytes, threads) : nullptr;
  if (compute == nullptr && level == nullptr) return std::nullopt;
  Roof roof;
  const double compute_ms = compute == nullptr ? 0 : flops / compute->gflops / 1e6;
  // How much is read and how much written is not known here: the faster of both keeps the least time a least time.
  const double gbps = level == nullptr ? 0 : std::max(level->read_gbps, level->copy_gbps);
  const double memory_ms = level == nullptr ? 0 : bytes / gbps / 1e6;
  roof.memory_bound = memory_ms > compute_ms;
  roof.ms = std::max(compute_ms, memory_ms);
  if (roof.memory_bound) {
    roof.limit = level->level;
    roof.gbps = gbps;
  } else {
    roof.limit = compute->dtype + " " + compute->isa;
    roof.gflops = compute->gflops;
  }
  return roof;
}

std::string ceilings_json(const Ceilings& ceilings) {
  ordered_json out = {{"schema", kPeakSchema}, {"cpu", ceilings.cpu}, {"measured_at", ceilings.measured_at}};
  out["isas"] = ceilings.isas;
  out["compute"] = ordered_json::array();
  for (const ComputeCeiling& ceiling : ceilings.compute) {
    out["compute"].push_back({{"isa", ceiling.isa},
                              {"dtype", ceiling.dtype},
                              {"method", ceiling.method},
                              {"threads", ceiling.threads},
                              {"gflops", ceiling.gflops}});
  }
  out["bandwidth"] = ordered_json::array();
  for (const BandwidthCeiling& level : ceilings.bandwidth) {
    ordered_json item = {{"level", level.level}, {"threads", level.threads}};
    item["working_set_bytes"] = level.working_set_bytes;
    if (level.capacity_bytes > 0) item["capacity_bytes"] = level.capacity_bytes;
    item["read_gbps"] = level.read_gbps;
    item["copy_gbps"] = level.copy_gbps;
    out["bandwidth"].push_back(std::move(item));
  }
  out["notes"] = ceilings.notes;
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<Ceilings> parse_ceilings(std::string_view text) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded() || !root.is_object()) return invalid_input("ceilings are not a JSON object");
  if (const std::string schema = text_member(root, "schema"); schema != kPeakSchema) {
    return invalid_input(fmt::format("ceilings have schema '{}', want '{}'; run etalon peak again", schema, kPeakSchema));
  }
  Ceilings out;
  out.cpu = text_member(root, "cpu");
  out.measured_at = text_member(root, "measured_at");
  out.isas = texts(root, "isas");
  out.notes = texts(root, "notes");
  ETALON_CHECKED(read_list(root, "compute", &read_compute, out.compute));
  ETALON_CHECKED(read_list(root, "bandwidth", &read_bandwidth, out.bandwidth));
  return out;
}

}  // namespace etalon::analysis

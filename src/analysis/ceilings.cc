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

// A ceiling for `wanted` threads: the one measured with most threads that are not more, in proportion.
template <class Ceiling>
struct Scaled {
  const Ceiling* ceiling = nullptr;
  double factor = 1;
};

// `is_same(ceiling)` tells the ceilings of one thing from those of others.
template <class Ceiling, class IsSame>
Scaled<Ceiling> for_threads(const std::vector<Ceiling>& ceilings, std::uint32_t wanted, const IsSame& is_same) {
  wanted = std::max(wanted, 1u);
  Scaled<Ceiling> out;
  for (const Ceiling& ceiling : ceilings) {
    if (ceiling.threads == 0 || ceiling.threads > wanted || !is_same(ceiling)) continue;
    if (out.ceiling == nullptr || ceiling.threads > out.ceiling->threads) out.ceiling = &ceiling;
  }
  if (out.ceiling != nullptr) out.factor = static_cast<double>(wanted) / out.ceiling->threads;
  return out;
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
  // The others each extend the one before; this one is of machines that go no further.
  if (ceiling.isa == "avxvnni" && isa != "avxvnni") return false;
  const auto own = rank_of(ceilings, ceiling.isa);
  return own && *own <= *cap;
}

Scaled<ComputeCeiling> best_of(const Ceilings& ceilings, std::string_view dtype, std::string_view isa,
                               std::uint32_t threads) {
  Scaled<ComputeCeiling> best;
  double most = 0;
  for (const ComputeCeiling& one : ceilings.compute) {
    if (one.dtype != dtype || !is_allowed(ceilings, one, isa)) continue;
    const auto scaled = for_threads(ceilings.compute, threads, [&](const ComputeCeiling& other) {
      return other.isa == one.isa && other.dtype == one.dtype && other.method == one.method;
    });
    if (scaled.ceiling == nullptr || scaled.ceiling->gflops * scaled.factor <= most) continue;
    most = scaled.ceiling->gflops * scaled.factor;
    best = scaled;
  }
  return best;
}

Scaled<ComputeCeiling> compute_ceiling(const Ceilings& ceilings, std::string_view dtype, std::string_view isa,
                                       std::uint32_t threads) {
  if (dtype == "uint8" || dtype == "int4") dtype = "int8";  // the same instructions
  const Scaled<ComputeCeiling> best = best_of(ceilings, dtype, isa, threads);
  const bool is_half = dtype == "float16" || dtype == "bfloat16";
  return best.ceiling == nullptr && is_half ? best_of(ceilings, "float32", isa, threads) : best;
}

Scaled<BandwidthCeiling> bandwidth_ceiling(const Ceilings& ceilings, double bytes, std::uint32_t threads) {
  Scaled<BandwidthCeiling> best;
  double smallest = 0;
  for (const BandwidthCeiling& one : ceilings.bandwidth) {
    const auto scaled = for_threads(ceilings.bandwidth, threads,
                                    [&](const BandwidthCeiling& other) { return other.level == one.level; });
    if (scaled.ceiling == nullptr) continue;
    const double stored = scaled.ceiling->capacity_bytes;
    const double capacity = stored > 0 ? stored * scaled.factor : HUGE_VAL;  // memory holds everything
    if (capacity < bytes || (best.ceiling != nullptr && capacity >= smallest)) continue;
    smallest = capacity;
    best = scaled;
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
  const Scaled<ComputeCeiling> compute = flops > 0 ? compute_ceiling(ceilings, dtype, isa, threads) : Scaled<ComputeCeiling>{};
  if (flops > 0 && compute.ceiling == nullptr) return std::nullopt;
  const Scaled<BandwidthCeiling> level = bytes > 0 ? bandwidth_ceiling(ceilings, bytes, threads) : Scaled<BandwidthCeiling>{};
  if (compute.ceiling == nullptr && level.ceiling == nullptr) return std::nullopt;
  const double gflops = compute.ceiling == nullptr ? 0 : compute.ceiling->gflops * compute.factor;
  // How much is read and how much written is not known here: the faster of both keeps the least time a least time.
  const double gbps =
      level.ceiling == nullptr ? 0 : std::max(level.ceiling->read_gbps, level.ceiling->copy_gbps) * level.factor;
  const double compute_ms = gflops > 0 ? flops / gflops / 1e6 : 0;
  const double memory_ms = gbps > 0 ? bytes / gbps / 1e6 : 0;
  Roof roof;
  roof.memory_bound = memory_ms > compute_ms;
  roof.ms = std::max(compute_ms, memory_ms);
  if (roof.memory_bound) {
    roof.limit = level.ceiling->level;
    roof.gbps = gbps;
  } else {
    roof.limit = compute.ceiling->dtype + " " + compute.ceiling->isa;
    roof.gflops = gflops;
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

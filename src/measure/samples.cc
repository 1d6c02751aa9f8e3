#include "measure/samples.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "measure/json_fields.h"

namespace etalon::measure {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;
constexpr std::uint32_t kMaxIndex = 1'000'000'000;

bool is_known_launch_field(std::string_view name) {
  return name == "round" || name == "started_at" || name == "warmup_ms" || name == "steadiness" ||
         name == "runs_ms" || name == "blocks";
}

ordered_json block_json(const Block& block) {
  ordered_json out;
  out["index"] = block.index;
  if (block.attempt > 0) out["attempt"] = block.attempt;
  out["place"] = block.place;
  if (block.voided) {
    out["voided"] = true;
    out["voided_ms"] = block.runs_ms;
  } else {
    out["runs"] = block.runs_ms.size();
  }
  if (block.disturbed) out["disturbed"] = true;
  if (!block.switch_ms.empty()) out["switch_ms"] = block.switch_ms;
  if (block.sentinel_before_ns > 0) out["sentinel_ns"] = {block.sentinel_before_ns, block.sentinel_after_ns};
  return out;
}

// `runs_ms` holds the runs of all blocks that count, one after the other, so that readers who know nothing of
// blocks find the latencies where they always were.
ordered_json launch_json(const LaunchRecord& launch) {
  ordered_json out;
  out["round"] = launch.index;
  if (!launch.started_at.empty()) out["started_at"] = launch.started_at;
  if (!launch.warmup_ms.empty()) out["warmup_ms"] = launch.warmup_ms;
  if (!launch.steadiness.empty()) out["steadiness"] = launch.steadiness;
  std::vector<double> runs;
  ordered_json blocks = ordered_json::array();
  for (const Block& block : launch.blocks) {
    blocks.push_back(block_json(block));
    if (!block.voided) runs.insert(runs.end(), block.runs_ms.begin(), block.runs_ms.end());
  }
  out["runs_ms"] = runs;
  out["blocks"] = std::move(blocks);
  for (const auto& [name, value] : launch.figures) {
    if (!is_known_launch_field(name)) out[name] = value;
  }
  return out;
}

void put_arm(const ArmSamples& arm, ordered_json& out) {
  out["key"] = arm.key;
  out["experiment"] = arm.name;
  out["threads"] = arm.threads;
  out["traced"] = arm.traced;
  out["launches"] = ordered_json::array();
  for (const LaunchRecord& launch : arm.launches) out["launches"].push_back(launch_json(launch));
}

ordered_json arms_json(const std::vector<ArmSamples>& arms) {
  ordered_json list = ordered_json::array();
  for (const ArmSamples& arm : arms) put_arm(arm, list.emplace_back());
  return list;
}

Result<std::vector<double>> times(const Fields& fields, const char* name) {
  std::vector<double> out;
  const json* value = fields.find(name);
  if (value == nullptr) return out;
  if (!value->is_array()) {
    return invalid_input(
        fmt::format("{}: found {}, want a list of times", fields.at(name), describe(*value)));
  }
  out.reserve(value->size());
  for (const json& item : *value) {
    const double time = item.is_number() ? item.get<double>() : 0;
    if (!(time > 0) || !std::isfinite(time)) {
      return invalid_input(
          fmt::format("{}[{}]: found {}, want a time above 0", fields.at(name), out.size(), describe(item)));
    }
    out.push_back(time);
  }
  return out;
}

bool is_set(const Fields& fields, const char* name) {
  const json* value = fields.find(name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

Result<const json*> list_of(const Fields& fields, const char* name) {
  const json* value = fields.find(name);
  if (value != nullptr && !value->is_array()) {
    return invalid_input(fmt::format("{}: found {}, want a list", fields.at(name), describe(*value)));
  }
  return value;
}

Status require_object(const json& value, const std::string& where) {
  if (value.is_object()) return {};
  return invalid_input(fmt::format("{}: found {}, want an object", where, describe(value)));
}

// `runs` are the launch's counting runs, of which `used` belong to earlier blocks.
Result<Block> parse_block(const Fields& fields, const std::vector<double>& runs, std::size_t& used) {
  Block block;
  ETALON_TRY(block.index, fields.count("index", 0, 0, kMaxIndex));
  ETALON_TRY(block.attempt, fields.count("attempt", 0, 0, kMaxIndex));
  ETALON_TRY(block.place, fields.count("place", 0, 0, kMaxIndex));
  block.disturbed = is_set(fields, "disturbed");
  block.voided = is_set(fields, "voided");
  ETALON_TRY(block.switch_ms, times(fields, "switch_ms"));
  ETALON_TRY(const std::vector<double> sentinels, times(fields, "sentinel_ns"));
  if (sentinels.size() == 2) {
    block.sentinel_before_ns = sentinels[0];
    block.sentinel_after_ns = sentinels[1];
  }
  if (block.voided) {
    ETALON_TRY(block.runs_ms, times(fields, "voided_ms"));
    return block;
  }
  ETALON_TRY(const std::uint32_t count, fields.count("runs", 0, 0, kMaxIndex));
  if (count > runs.size() - used) {
    return invalid_input(fmt::format("{}: found {}, but only {} of the launch's runs_ms are left",
                                     fields.at("runs"), count, runs.size() - used));
  }
  const auto first = runs.begin() + static_cast<std::ptrdiff_t>(used);
  block.runs_ms.assign(first, first + static_cast<std::ptrdiff_t>(count));
  used += count;
  return block;
}

Status parse_blocks(const Fields& fields, std::vector<double> runs, LaunchRecord& launch) {
  ETALON_TRY(const json* list, list_of(fields, "blocks"));
  if (list == nullptr) {
    Block whole;
    whole.runs_ms = std::move(runs);
    if (!whole.runs_ms.empty()) launch.blocks.push_back(std::move(whole));
    return {};
  }
  std::size_t used = 0;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = fmt::format("{}[{}]", fields.at("blocks"), i);
    ETALON_CHECKED(require_object((*list)[i], where));
    ETALON_TRY(Block block, parse_block(Fields((*list)[i], where), runs, used));
    launch.blocks.push_back(std::move(block));
  }
  if (used == runs.size()) return {};
  return invalid_input(
      fmt::format("{}: the blocks hold {} runs, runs_ms holds {}", fields.where(), used, runs.size()));
}

Result<LaunchRecord> parse_launch(const json& value, const std::string& where) {
  ETALON_CHECKED(require_object(value, where));
  const Fields fields(value, where);
  LaunchRecord launch;
  ETALON_TRY(launch.index, fields.count("round", 0, 0, kMaxIndex));
  ETALON_TRY(launch.started_at, fields.text("started_at", ""));
  ETALON_TRY(launch.steadiness, fields.text("steadiness", ""));
  ETALON_TRY(launch.warmup_ms, times(fields, "warmup_ms"));
  ETALON_TRY(std::vector<double> runs, times(fields, "runs_ms"));
  ETALON_CHECKED(parse_blocks(fields, std::move(runs), launch));
  for (const auto& [name, item] : value.items()) {
    if (item.is_number() && !is_known_launch_field(name)) launch.figures[name] = item.get<double>();
  }
  return launch;
}

Result<ArmSamples> parse_arm(const json& value, const std::string& where) {
  if (!where.empty()) ETALON_CHECKED(require_object(value, where));
  const Fields fields(value, where);
  ArmSamples arm;
  ETALON_TRY(arm.key, fields.text("key", ""));
  ETALON_TRY(arm.name, fields.text("experiment", ""));
  ETALON_TRY(arm.threads, fields.count("threads", 1, 1, kMaxIndex));
  arm.traced = is_set(fields, "traced");
  ETALON_TRY(const json* list, list_of(fields, "launches"));
  if (list == nullptr) return invalid_input(fmt::format("{}: missing", fields.at("launches")));
  for (std::size_t i = 0; i < list->size(); ++i) {
    ETALON_TRY(LaunchRecord launch,
               parse_launch((*list)[i], fmt::format("{}[{}]", fields.at("launches"), i)));
    arm.launches.push_back(std::move(launch));
  }
  return arm;
}

Status parse_arms(const Fields& fields, const char* name, std::vector<ArmSamples>& arms) {
  ETALON_TRY(const json* list, list_of(fields, name));
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    ETALON_TRY(ArmSamples arm, parse_arm((*list)[i], fmt::format("{}[{}]", name, i)));
    arms.push_back(std::move(arm));
  }
  return {};
}

// A 64-bit seed does not fit the numbers of every JSON reader.
Result<std::uint64_t> seed_of(const Fields& fields) {
  ETALON_TRY(const std::string text, fields.text("seed", "0"));
  std::uint64_t seed = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || seed > (std::numeric_limits<std::uint64_t>::max() - 9) / 10) {
      return invalid_input(
          fmt::format("{}: found \"{}\", want a number as text", fields.at("seed"), text.substr(0, 40)));
    }
    seed = seed * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return seed;
}

Result<std::vector<std::uint32_t>> looks_of(const Fields& fields) {
  std::vector<std::uint32_t> looks;
  ETALON_TRY(const json* list, list_of(fields, "looks"));
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const std::string where = fmt::format("{}[{}]", fields.at("looks"), i);
    ETALON_TRY(const std::uint32_t look,
               count_value((*list)[i], where, looks.empty() ? 1 : looks.back() + 1, kMaxIndex));
    looks.push_back(look);
  }
  return looks;
}

Result<Spending> spending_of(const Fields& fields) {
  ETALON_TRY(const std::string name, fields.text("spending", "obrien-fleming"));
  for (const Spending known : {Spending::kObrienFleming, Spending::kPocock}) {
    if (name == spending_name(known)) return known;
  }
  return invalid_input(fmt::format("{}: found \"{}\", want obrien-fleming or pocock", fields.at("spending"),
                                   name.substr(0, 40)));
}

}  // namespace

std::vector<double> ArmSamples::runs_ms() const {
  std::vector<double> all;
  for (const LaunchRecord& launch : launches) {
    for (const Block& block : launch.blocks) {
      if (!block.voided) all.insert(all.end(), block.runs_ms.begin(), block.runs_ms.end());
    }
  }
  return all;
}

Recording without_arms(const Recording& recording) {
  Recording header = recording;
  header.arms.clear();
  header.control.clear();
  return header;
}

std::string recording_to_json(const Recording& recording) {
  ordered_json root;
  root["schema"] = kSamplesSchemaName;
  if (!recording.session.empty()) root["session"] = recording.session;
  root["seed"] = std::to_string(recording.seed);
  const ordered_json machine = ordered_json::parse(recording.machine_json, nullptr, false);
  if (machine.is_object()) root["machine"] = machine;
  if (recording.runs_per_block > 0) root["runs_per_block"] = recording.runs_per_block;
  if (recording.blocks_per_launch > 0) root["blocks_per_launch"] = recording.blocks_per_launch;
  if (recording.control_launches > 0) root["control_launches"] = recording.control_launches;
  if (!recording.looks.empty()) root["looks"] = recording.looks;
  if (recording.looks.size() > 1) root["spending"] = spending_name(recording.spending);
  if (recording.arms.size() == 1 && recording.control.empty()) {
    put_arm(recording.arms.front(), root);
  } else {
    root["arms"] = arms_json(recording.arms);
    if (!recording.control.empty()) root["control"] = arms_json(recording.control);
  }
  return root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<Recording> parse_recording(std::string_view text) {
  ETALON_TRY(const json root, parse_strict_json(text));
  ETALON_CHECKED(require_object(root, "samples"));
  const Fields fields(root, "");
  ETALON_TRY(const std::string schema, fields.text("schema", ""));
  if (schema != kSamplesSchemaName) {
    return invalid_input(
        fmt::format("schema: found \"{}\", want \"{}\"", schema.substr(0, 60), kSamplesSchemaName));
  }
  Recording recording;
  ETALON_TRY(recording.session, fields.text("session", ""));
  ETALON_TRY(recording.seed, seed_of(fields));
  ETALON_TRY(recording.runs_per_block, fields.count("runs_per_block", 0, 0, kMaxIndex));
  ETALON_TRY(recording.blocks_per_launch, fields.count("blocks_per_launch", 0, 0, kMaxIndex));
  ETALON_TRY(recording.control_launches, fields.count("control_launches", 0, 0, kMaxIndex));
  if (const json* machine = fields.find("machine"); machine != nullptr && machine->is_object()) {
    recording.machine_json = machine->dump(-1, ' ', false, json::error_handler_t::replace);
  }
  ETALON_TRY(recording.looks, looks_of(fields));
  ETALON_TRY(recording.spending, spending_of(fields));
  if (fields.find("arms") == nullptr) {
    ETALON_TRY(ArmSamples arm, parse_arm(root, ""));
    recording.arms.push_back(std::move(arm));
    return recording;
  }
  ETALON_CHECKED(parse_arms(fields, "arms", recording.arms));
  ETALON_CHECKED(parse_arms(fields, "control", recording.control));
  return recording;
}

Status write_recording(const std::string& path, const Recording& recording) {
  return write_file(path, recording_to_json(recording));
}

Result<Recording> read_recording(const std::string& path) {
  ETALON_TRY(const std::string text, read_text_file(path, kMaxFileBytes));
  ETALON_TRY(Recording recording, parse_recording(text), path);
  return recording;
}

}  // namespace etalon::measure

#include "cli/compare/recorded.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/file.h"
#include "cli/ceilings.h"
#include "cli/model_facts.h"
#include "cli/run_analysis.h"
#include "measure/json_fields.h"

namespace etalon::cli {
namespace {

using analysis::RunResult;

// "DIR#NAME@t4".
struct Address {
  std::string path;
  std::string name;                      // empty: all
  std::optional<std::uint32_t> threads;  // empty: not said
};

// A path that exists as it is wins over what '#' and '@' could mean in it.
Address address_of(const std::string& text) {
  Address address{text, {}, {}};
  const std::size_t hash = text.rfind('#');
  if (hash == std::string::npos || file_exists(text)) return address;
  address.path = text.substr(0, hash);
  address.name = text.substr(hash + 1);
  const std::size_t at = address.name.rfind("@t");
  if (at == std::string::npos) return address;
  const char* first = address.name.data() + at + 2;
  const char* last = address.name.data() + address.name.size();
  std::uint32_t threads = 0;
  const auto parsed = std::from_chars(first, last, threads);
  if (parsed.ec != std::errc() || parsed.ptr != last || first == last) return address;
  address.threads = threads;
  address.name.resize(at);
  return address;
}

Error no_such_run(const Address& address, const std::vector<std::string>& names) {
  std::vector<std::string_view> known(names.begin(), names.end());
  std::string text = fmt::format("{}: no run \"{}\"", address.path, address.name);
  if (address.threads) text += fmt::format(" with {} threads", *address.threads);
  const std::string_view nearest = measure::nearest_name(address.name, known);
  if (!nearest.empty() && nearest != address.name) text += fmt::format("; did you mean \"{}\"?", nearest);
  constexpr std::size_t kMost = 10;
  text += fmt::format(
      " It holds {}",
      fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMost)),
                ", "));
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return not_found(text);
}

void add_samples(const std::string& folder, RecordedSide& side) {
  if (side.result->samples.empty()) return;
  auto recording = measure::read_recording(folder + "/" + side.result->samples);
  if (!recording.ok()) {
    side.notes.push_back(recording.error().message());
    return;
  }
  side.recording = std::move(recording).value();
  if (side.result->control.empty()) return;
  auto control = measure::read_recording(folder + "/" + side.result->control);
  if (control.ok() && control->session == side.recording->session)
    side.recording->control = std::move(control->control);
}

bool is_wanted(const Address& address, std::uint32_t threads_flag, const std::string& experiment,
               std::uint32_t threads) {
  if (!address.name.empty() && address.name != experiment) return false;
  if (address.threads) return *address.threads == threads;
  return threads_flag == 0 || threads == 0 || threads == threads_flag;
}

RecordedSide side_of(const std::string& folder, const RunResult& result, const analysis::Report& report,
                     const std::shared_ptr<const analysis::ModelFacts>& facts) {
  RecordedSide side;
  side.name = analysis::run_name(result.experiment, result.threads);
  side.from = folder;
  side.result = result;
  const auto other = report.other_facts.find(side.name);
  if (other != report.other_facts.end())
    side.facts = std::make_shared<const analysis::ModelFacts>(other->second);
  else if (result.model.empty())
    side.facts = facts;
  for (const analysis::Profile& profile : report.profiles) {
    if (profile.experiment == result.experiment && profile.threads == result.threads) side.profile = profile;
  }
  add_samples(folder, side);
  return side;
}

Result<std::vector<RecordedSide>> open_folder(const Address& address, std::uint32_t threads) {
  analysis::ReportOptions options;
  options.read_facts = read_model_facts;
  options.ceilings = stored_ceilings();
  ETALON_TRY(const analysis::Report report, analysis::report_on_folder(address.path, options));
  std::shared_ptr<const analysis::ModelFacts> facts;
  if (report.facts) facts = std::make_shared<const analysis::ModelFacts>(*report.facts);
  std::vector<RecordedSide> sides;
  std::vector<std::string> names;
  for (const RunResult& result : report.manifest.results) {
    if (std::find(names.begin(), names.end(), result.experiment) == names.end())
      names.push_back(result.experiment);
    if (result.status != "ok" && result.latency_ms.empty() && result.etdump.empty()) continue;
    if (is_wanted(address, threads, result.experiment, result.threads)) {
      sides.push_back(side_of(address.path, result, report, facts));
    }
  }
  if (report.manifest.results.empty()) {  // recordings of other tools, without a manifest
    for (const analysis::Profile& profile : report.profiles) {
      names.push_back(profile.experiment);
      if (!is_wanted(address, threads, profile.experiment, profile.threads)) continue;
      RecordedSide side;
      side.name = profile.name;
      side.from = address.path;
      side.profile = profile;
      sides.push_back(std::move(side));
    }
  }
  if (sides.empty()) return no_such_run(address, names);
  return sides;
}

Result<std::vector<RecordedSide>> open_etdump(const std::string& path) {
  if (!file_exists(path)) return not_found(path + ": no such recording");
  ETALON_TRY(analysis::Report report, analysis::report_on_etdump(path, {}));
  RecordedSide side;
  side.profile = std::move(report.profiles.front());
  side.name = side.profile->name;
  side.from = path;
  std::vector<RecordedSide> sides;
  sides.push_back(std::move(side));
  return sides;
}

Result<std::vector<RecordedSide>> open_samples(const Address& address) {
  if (!file_exists(address.path)) return not_found(address.path + ": no such samples file");
  ETALON_TRY(const measure::Recording recording, measure::read_recording(address.path), address.path);
  std::vector<RecordedSide> sides;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < recording.arms.size(); ++i) {
    names.push_back(recording.arms[i].name);
    if (!address.name.empty() && address.name != recording.arms[i].name) continue;
    RecordedSide side;
    side.name = recording.arms[i].name;
    side.from = address.path;
    side.recording = recording;
    side.arm = i;
    sides.push_back(std::move(side));
  }
  if (sides.empty()) return no_such_run(address, names);
  return sides;
}

}  // namespace

analysis::RecordedRun RecordedSide::view() const {
  analysis::RecordedRun run;
  run.name = name;
  run.result = result ? &*result : nullptr;
  run.profile = profile ? &*profile : nullptr;
  run.facts = facts.get();
  run.recording = recording ? &*recording : nullptr;
  run.arm = arm;
  return run;
}

bool names_recording(const std::string& text) {
  const Address address = address_of(text);
  return is_folder(address.path) || address.path.ends_with(".etdump") || address.path.ends_with(".json");
}

Result<std::vector<RecordedSide>> open_recorded(const std::string& text, std::uint32_t threads) {
  const Address address = address_of(text);
  if (is_folder(address.path)) return open_folder(address, threads);
  if (address.path.ends_with(".etdump")) return open_etdump(address.path);
  if (address.path.ends_with(".json")) return open_samples(address);
  if (!file_exists(address.path)) return not_found(address.path + ": no such file or run folder");
  return invalid_input(address.path +
                       ": found neither a run folder nor an .etdump, a _samples.json or a .pte program");
}

}  // namespace etalon::cli

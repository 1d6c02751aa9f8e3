#include "cli/compare/layer_numerics.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "analysis/layer_costs.h"
#include "analysis/numerics.h"
#include "base/file.h"
#include "cli/compare/program_taps.h"
#include "cli/model_outputs.h"
#include "formats/etrecord/etrecord.h"

namespace etalon::cli {
namespace {

using analysis::Comparison;

constexpr std::uint64_t kBytesAtOnce = std::uint64_t{256} << 20;  // of values of one program
constexpr double kSameModel = 0.5;  // of the smaller program's values must have a partner

// A program with what is needed to look inside.
struct Opened {
  const ComparedArm* arm = nullptr;
  MappedFile file;
  formats::pte::Program program;
  analysis::ValueNames names;
  std::vector<Tap> taps;
};

Result<Opened> open(const ComparedArm& arm) {
  if (arm.request.engine == "executorch")
    return unsupported("the executorch engine runs in a process of its own");
  const std::string record_path = arm.request.model + ".etrecord";
  if (!file_exists(record_path))
    return not_found(fmt::format("{} is not there, and without it values inside have no names", record_path));
  ETALON_TRY(const MappedFile record_file, MappedFile::open(record_path));
  ETALON_TRY(const formats::etrecord::EtRecord record, formats::etrecord::decode(record_file.bytes()),
             record_path);
  ETALON_TRY(MappedFile file, MappedFile::open(arm.request.model));
  ETALON_TRY(formats::pte::Program program, formats::pte::decode(file.bytes()), arm.request.model);
  analysis::ValueNames names(record);
  ETALON_TRY(std::vector<Tap> taps, find_taps(program, names), arm.request.model);
  return Opened{&arm, std::move(file), std::move(program), std::move(names), std::move(taps)};
}

struct Pair {
  const Tap* before = nullptr;
  const Tap* after = nullptr;
};

// Values of one name and the same elements in the same order.
std::vector<Pair> pairs_of(const Opened& baseline, const Opened& candidate) {
  std::map<std::string, const Tap*> known;
  for (const Tap& tap : candidate.taps) known.emplace(tap.name, &tap);
  std::vector<Pair> pairs;
  for (const Tap& tap : baseline.taps) {
    const auto found = known.find(tap.name);
    if (found != known.end() && found->second->sizes == tap.sizes) pairs.push_back({&tap, found->second});
  }
  return pairs;
}

void to_real(const Tap& tap, std::vector<float>& values) {
  if (!tap.quantisation) return;
  for (float& value : values)
    value = (value - static_cast<float>(tap.quantisation->zero_point)) * tap.quantisation->scale;
}

// The values of the taps, after a run.
Result<std::vector<std::vector<float>>> values_of(const Opened& opened, const std::vector<Tap>& taps,
                                                  const std::string& path) {
  ETALON_TRY(const std::vector<std::byte> bytes, tapped_program(opened.program, taps));
  ETALON_CHECKED(write_file(path, bytes));
  OutputsRequest request;
  request.model = path;
  request.engine = opened.arm->request.engine;
  request.isa = opened.arm->request.isa;
  request.math = opened.arm->request.math;
  request.threads = static_cast<int>(opened.arm->request.threads);
  request.inputs = opened.arm->request.inputs;
  auto outputs = model_outputs(request);
  ::unlink(path.c_str());
  if (!outputs.ok()) return outputs.take_error().with_context(opened.arm->name);
  if (outputs->size() < taps.size())
    return internal_error("a program gives fewer values than were asked for");
  outputs->erase(outputs->begin(), outputs->end() - static_cast<std::ptrdiff_t>(taps.size()));
  for (std::size_t i = 0; i < taps.size(); ++i) to_real(taps[i], (*outputs)[i]);
  return outputs;
}

Status compare_part(const Opened& baseline, const Opened& candidate, std::span<const Pair> pairs,
                    const std::string& folder, Comparison& comparison) {
  std::vector<Tap> before, after;
  for (const Pair& pair : pairs) {
    before.push_back(*pair.before);
    after.push_back(*pair.after);
  }
  const std::string path = folder + "/values_inside.pte";
  ETALON_TRY(const auto expected, values_of(baseline, before, path));
  ETALON_TRY(const auto found, values_of(candidate, after, path));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ETALON_TRY(analysis::OutputDifference difference,
               analysis::compare_outputs(pairs[i].before->name, expected[i], found[i]));
    comparison.layers.push_back({std::move(difference), pairs[i].before->op, pairs[i].after->op});
  }
  return {};
}

Status compare_all(const Opened& baseline, const Opened& candidate, const std::vector<Pair>& pairs,
                   const std::string& folder, Comparison& comparison) {
  for (std::size_t first = 0; first < pairs.size();) {
    std::size_t last = first;
    std::uint64_t bytes = 0;
    while (last < pairs.size() &&
           (last == first || bytes + pairs[last].before->elements * sizeof(float) <= kBytesAtOnce))
      bytes += pairs[last++].before->elements * sizeof(float);
    ETALON_CHECKED(
        compare_part(baseline, candidate, std::span(pairs).subspan(first, last - first), folder, comparison));
    first = last;
  }
  return {};
}

// Operators that compute a value which was compared are as close as that value.
void put_into_operators(const Opened& candidate, const analysis::Profile& profile, Comparison& comparison) {
  if (!candidate.arm->facts) return;
  std::map<std::string, double> snr_of;
  for (const analysis::LayerDifference& layer : comparison.layers)
    snr_of[layer.difference.output] = layer.difference.snr_db;
  for (analysis::OperatorMatch& match : comparison.operators) {
    for (const std::size_t row : match.candidate) {
      if (row >= profile.operators.size()) continue;
      for (const std::string& name : candidate.names.of(profile.operators[row], *candidate.arm->facts)) {
        if (const auto found = snr_of.find(name); found != snr_of.end()) match.snr_db = found->second;
      }
    }
  }
}

}  // namespace

void compare_layers_of(const ComparedArm& baseline, const ComparedArm& candidate,
                       const analysis::Profile* candidate_profile, const std::string& folder,
                       Comparison& comparison) {
  const auto note = [&](const std::string& why) {
    comparison.notes.push_back("values inside are not compared: " + why);
  };
  const auto before = open(baseline);
  if (!before.ok()) return note(before.error().message());
  const auto after = open(candidate);
  if (!after.ok()) return note(after.error().message());
  const std::vector<Pair> pairs = pairs_of(*before, *after);
  const auto smaller = static_cast<double>(std::min(before->taps.size(), after->taps.size()));
  if (pairs.empty() || static_cast<double>(pairs.size()) < kSameModel * smaller)
    return note(
        "the programs have too few values of the same name and shape; they look like different models");
  const Status compared = compare_all(*before, *after, pairs, folder, comparison);
  if (compared.ok()) {
    if (candidate_profile != nullptr) put_into_operators(*after, *candidate_profile, comparison);
    return;
  }
  comparison.layers.clear();
  note(compared.error().message());
}

}  // namespace etalon::cli

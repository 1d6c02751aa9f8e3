// An instruction set that this machine has, or that was asked for, and that no operator used.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

// Instruction sets as --isa names them, what the Linux kernel calls the features each needs, and the bits
// that one instruction of it works on. Each extends those above it of the same family.
struct Extension {
  std::string_view isa;
  std::string_view family;
  std::vector<std::string_view> features;
  double bits;
};
const std::vector<Extension>& extensions() {
  static const std::vector<Extension> all = {
      {"scalar", "", {}, 32},
      {"avx2", "x86", {"avx2", "fma", "f16c"}, 256},
      {"avx512", "x86", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}, 512},
      {"avx512vnni", "x86", {"avx512_vnni"}, 512},
      {"avx512bf16", "x86", {"avx512_bf16"}, 512},
      {"amx", "x86", {"avx512vbmi", "amx_tile", "amx_int8", "amx_bf16"}, 8192},
      {"avxvnni", "x86 without avx512", {"avx2", "fma", "f16c", "avx_vnni"}, 256},
      {"neon", "arm", {"asimd"}, 128},
      {"neonfp16", "arm", {"asimdhp"}, 128},
      {"neondot", "arm", {"asimddp"}, 128},
      {"neoni8mm", "arm", {"i8mm"}, 128},
      {"neonbf16", "arm", {"bf16"}, 128}};
  return all;
}

constexpr Threshold kMinWider = {
    "width of the machine's vectors over those that were allowed", 2, "ratio",
    "extensions of equal width help one dtype only, which may not be in the model"};
constexpr const Threshold* kThresholds[] = {&kMinWider};

void check(const Report& report, Findings& findings);

}  // namespace

extern const Rule kExtensionUnused;
const Rule kExtensionUnused = {
    .doc = {.id = "extension-unused",
            .detects = "an instruction set that was asked for, or that the machine has, computed nothing",
            .why = "hardware that stands idle; and an on / off experiment whose on side runs the same "
                   "kernels measures noise",
            .remedy = "let the runner choose (--isa auto), or export in the dtype that the extension "
                      "computes: int8 for dot "
                      "products, bfloat16 or int8 for matrix units",
            .confirm =
                "run with the wider instruction set on and off, interleaved, and see the kernels change",
            .wrong_when = "the machine slows its clock for wide vectors, or the model is bound by memory",
            .needs = "evidence of kernels, and the machine's features in the manifest"},
    .check_report = check,
    .thresholds = kThresholds};

namespace {

const Extension* extension_named(std::string_view isa) {
  for (const Extension& extension : extensions()) {
    if (extension.isa == isa) return &extension;
  }
  return nullptr;
}

std::set<std::string> words_of(const std::string& text) {
  std::set<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.insert(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// The widest of its family that has all features, its own and those it extends.
const Extension* widest_of(const std::set<std::string>& features) {
  const Extension* best = &extensions().front();
  std::string_view broken;
  for (const Extension& extension : extensions()) {
    if (extension.family == broken && !broken.empty()) continue;
    const bool has =
        std::all_of(extension.features.begin(), extension.features.end(),
                    [&](std::string_view name) { return features.count(std::string(name)) > 0; });
    if (!has)
      broken = extension.family;
    else if (extension.bits > best->bits)
      best = &extension;
  }
  return best;
}

// What was allowed anywhere in the report: an on / off pair has an off side on purpose. That a dtype has no
// kernel of an instruction set that was allowed is for `wanted-kernel-not-chosen` to say.
std::set<std::string> isas_allowed(const Report& report) {
  std::set<std::string> isas;
  for (const Profile& profile : report.profiles) {
    for (const OperatorRow& row : profile.operators) {
      if (!row.isa.empty()) isas.insert(row.wanted_isa.empty() ? row.isa : row.wanted_isa);
    }
  }
  return isas;
}

double widest_bits(const std::set<std::string>& isas) {
  double bits = 0;
  for (const std::string& isa : isas) {
    if (const Extension* extension = extension_named(isa)) bits = std::max(bits, extension->bits);
  }
  return bits;
}

void check_asked(const Report& report, const Profile& profile, Findings& findings) {
  const RunResult* result = find_result(report, profile);
  if (result == nullptr || result->isa_wanted.empty() || result->isa_wanted == "auto" ||
      result->isa_wanted == "scalar")
    return;
  const RowGroup known = select_rows(profile, [](const OperatorRow& row) { return !row.isa.empty(); });
  const RowGroup used =
      select_rows(profile, [&](const OperatorRow& row) { return row.isa == result->isa_wanted; });
  if (known.empty() || !used.empty()) return;
  Finding finding = make_finding(kExtensionUnused, Severity::kWarning, profile, result->isa_wanted);
  finding.evidence = {{"operators with " + result->isa_wanted, 0, "count"},
                      {"operators with another instruction set", known.count(), "count"},
                      {"time", known.ms, "ms"}};
  finding.remedy = {RemedyKind::kNone, "", "etalon inspect MODEL --isa " + result->isa_wanted};
  findings.found.push_back(std::move(finding));
}

void check_machine(const Report& report, const std::set<std::string>& allowed, Findings& findings) {
  const auto device = report.manifest.device.find("cpu_features");
  const Extension* best = widest_of(words_of(device->second));
  const double bits = widest_bits(allowed);
  // A matrix unit computes some dtypes only.
  if (best->isa == "amx") best = extension_named("avx512");
  if (bits <= 0 || best->bits < kMinWider.value * bits) return;
  for (const Profile& profile : report.profiles) {
    const RowGroup known = select_rows(profile, [](const OperatorRow& row) { return !row.isa.empty(); });
    if (known.empty()) continue;
    Finding finding = make_finding(kExtensionUnused, Severity::kWarning, profile, std::string(best->isa));
    finding.evidence = {{"bits per instruction that were allowed", bits, "count"},
                        {"bits per instruction of the machine", best->bits, "count"},
                        {"time", known.ms, "ms"}};
    promise(0, known.ms * (1 - bits / best->bits), profile, finding);
    finding.remedy = {RemedyKind::kIsa, std::string(best->isa),
                      "etalon profile MODEL --isa " + std::string(best->isa)};
    findings.found.push_back(std::move(finding));
  }
}

void check(const Report& report, Findings& findings) {
  const std::set<std::string> allowed = isas_allowed(report);
  if (allowed.empty() || report.manifest.device.count("cpu_features") == 0) {
    for (const Profile& profile : report.profiles) {
      findings.need(kExtensionUnused.doc, profile,
                    "the kernel of each operator, and the machine's features in the manifest");
    }
    return;
  }
  for (const Profile& profile : report.profiles) check_asked(report, profile, findings);
  check_machine(report, allowed, findings);
}

}  // namespace
}  // namespace etalon::analysis

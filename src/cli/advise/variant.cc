#include "cli/advise/variant.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "cli/exporter.h"
#include "cli/prepack.h"

namespace etalon::cli {
namespace {

using analysis::Remedy;
using analysis::RemedyKind;

constexpr std::uint32_t kMaxThreads = 1024;

Error already(const std::string& what) { return unsupported("it is so already: " + what); }

Result<std::uint32_t> threads_in(const std::string& text) {
  std::uint32_t threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error != std::errc() || end != text.data() + text.size() || threads == 0 || threads > kMaxThreads) {
    return unsupported(fmt::format("'{}' is no number of threads", text));
  }
  return threads;
}

Status set_text(std::string& field, const std::string& value, const char* what) {
  if (field == value) return already(fmt::format("{} {}", what, value));
  field = value;
  return {};
}

// "NAME" switches a pass on, "-NAME" off.
Status set_pass(std::vector<std::string>& disabled, const std::string& value) {
  const bool off = value.starts_with('-');
  const std::string name = off ? value.substr(1) : value;
  const auto found = std::find(disabled.begin(), disabled.end(), name);
  if (off == (found != disabled.end())) return already(fmt::format("pass {} is {}", name, off ? "off" : "on"));
  if (off) {
    disabled.push_back(name);
  } else {
    disabled.erase(found);
  }
  return {};
}

// A copy, so that the program beside which nothing was packed can still be measured.
Result<std::string> prepacked_copy(const Variant& variant, const std::string& folder) {
  ETALON_CHECKED(make_directories(folder));
  const std::string copy = folder + "/" + variant.program.substr(variant.program.rfind('/') + 1);
  {
    ETALON_TRY(const MappedFile program, MappedFile::open(variant.program));
    ETALON_CHECKED(write_file(copy, program.bytes()));
  }
  ETALON_CHECKED(prepack_program({.model = copy, .isa = variant.isa, .math = variant.math, .data = {}}));
  return copy;
}

bool needs_export(RemedyKind kind) {
  return kind == RemedyKind::kBackend || kind == RemedyKind::kDtype || kind == RemedyKind::kPass;
}

}  // namespace

Status export_variant(Variant& variant, const std::string& folder) {
  ETALON_CHECKED(make_directories(folder));
  ExportRequest request;
  request.model = variant.source;
  request.outdir = folder;
  request.backend = variant.backend;
  request.dtype = variant.dtype;
  request.disabled_passes = variant.disabled_passes;
  ETALON_TRY(const ExportOutcome outcome, export_model(request));
  variant.program = outcome.program_path;
  return {};
}

Result<Variant> apply(const Remedy& remedy, const Variant& variant, const std::string& folder) {
  if (needs_export(remedy.kind) && variant.source.empty()) {
    return unsupported("it exports the model again, and only a program is at hand; give the .pt2 instead");
  }
  Variant changed = variant;
  Status status;
  switch (remedy.kind) {
    case RemedyKind::kThreads: {
      ETALON_TRY(changed.threads, threads_in(remedy.value));
      if (changed.threads == variant.threads) status = already(fmt::format("{} threads", variant.threads));
      break;
    }
    case RemedyKind::kIsa: status = set_text(changed.isa, remedy.value, "instruction set"); break;
    case RemedyKind::kEngine: status = set_text(changed.engine, remedy.value, "engine"); break;
    case RemedyKind::kMath: status = set_text(changed.math, remedy.value, "arithmetic"); break;
    case RemedyKind::kBackend: status = set_text(changed.backend, remedy.value, "backend"); break;
    case RemedyKind::kDtype: status = set_text(changed.dtype, remedy.value, "dtype"); break;
    case RemedyKind::kPass: status = set_pass(changed.disabled_passes, remedy.value); break;
    case RemedyKind::kPrepack:
      if (changed.prepacked) status = already("prepacked");
      changed.prepacked = true;
      break;
    case RemedyKind::kNone: status = unsupported("it asks for a change of the model, which a person has to make"); break;
  }
  if (!status.ok()) return status.error();
  if (needs_export(remedy.kind)) ETALON_CHECKED(export_variant(changed, folder));
  if (remedy.kind == RemedyKind::kPrepack) {
    ETALON_TRY(changed.program, prepacked_copy(variant, folder));
  }
  return changed;
}

bool changes_numbers(const Remedy& remedy) {
  return remedy.kind == RemedyKind::kDtype || (remedy.kind == RemedyKind::kMath && remedy.value != "exact" && remedy.value != "direct");
}

ArmRequest arm_of(const Variant& variant, const std::string& name, const std::vector<std::string>& inputs) {
  ArmRequest arm;
  arm.name = name;
  arm.model = variant.program;
  arm.engine = variant.engine;
  arm.isa = variant.isa;
  arm.math = variant.math;
  arm.threads = variant.threads;
  arm.inputs = inputs;
  return arm;
}

std::string describe(const Variant& variant) {
  std::string text = variant.source.empty() ? std::string("as it is") : fmt::format("{} {}", variant.backend, variant.dtype);
  text += fmt::format(", {} thread{}", variant.threads, variant.threads == 1 ? "" : "s");
  for (const std::string* part : {&variant.engine, &variant.isa, &variant.math}) {
    if (!part->empty()) text += ", " + *part;
  }
  for (const std::string& pass : variant.disabled_passes) text += ", without " + pass;
  if (variant.prepacked) text += ", prepacked";
  return text;
}

}  // namespace etalon::cli

#include "cli/engine_choice.h"

#include <fmt/core.h>

#include <algorithm>

#include "backends/native/native_backend.h"
#include "backends/native/operators/resolver.h"
#include "base/file.h"
#include "kernels/isa.h"

namespace etalon::cli {
namespace {

using kernels::MathMode;

Status check_engine(std::string_view engine) {
  if (engine == "executorch") {
    return unsupported(
        "engine executorch is a program of its own, which `etalon run` and `etalon profile` start; its kernels are not known "
        "before it runs");
  }
  if (engine.empty() || engine == "portable" || engine == "native") return {};
  return invalid_input(fmt::format("engine is '{}', want native, portable or executorch", engine));
}

Status set_math(std::string_view name, native::Options& options) {
  if (name == "direct") options.winograd = false;
  if (name.empty() || name == "direct") return {};
  for (const auto mode : {MathMode::kExact, MathMode::kFast, MathMode::kBf16, MathMode::kFp16}) {
    if (name != kernels::name_of(mode)) continue;
    options.math = mode;
    return {};
  }
  return invalid_input(fmt::format("math is '{}', want exact, direct, fast, bf16 or fp16", name));
}

// Whether anything computes as allowed is up to the shapes; that nothing can is known here.
bool has_kernels_for(MathMode math, kernels::Isa cap) {
  return std::ranges::any_of(kernels::conv2d_algorithms(), [&](const kernels::Conv2dAlgorithm* algorithm) {
    return algorithm->math == math && kernels::is_within(algorithm->isa, cap);
  });
}

void note_math(const native::Settings& settings, RunReport& report) {
  const char* allowed = "";
  switch (settings.math) {
    case MathMode::kExact: return;
    case MathMode::kFast: allowed = "errors of 1e-5 of the largest output are allowed"; break;
    case MathMode::kBf16:
      allowed = "dense products may round their factors to bfloat16, errors of about 1e-2 of the largest output";
      break;
    case MathMode::kFp16: allowed = "dense products may round their factors to half precision"; break;
  }
  const std::string_view name = kernels::name_of(settings.math);
  report.notes.push_back(fmt::format("math {}: {}", name, allowed));
  const std::string_view isa = kernels::info_of(settings.cap).name;
  if (!has_kernels_for(settings.math, settings.cap)) {
    report.notes.push_back(fmt::format("math {}: there are no such kernels within isa {}, exact ones run", name, isa));
  }
}

void describe_portable(const EngineWish& wish, RunReport& report) {
  report.engine = "portable";
  report.isa = "portable";
  report.threads = 1;
  if (!wish.isa.empty() && wish.isa != "portable" && wish.isa != "scalar" && wish.isa != "auto") {
    report.notes.push_back(fmt::format("isa {} was asked for, portable kernels run", wish.isa));
  }
  if (wish.threads > 1) {
    report.notes.push_back(fmt::format("{} threads were asked for, portable kernels use one", wish.threads));
  }
}

constexpr const char* kPackedSuffix = ".prepacked";

Result<native::PrepackedCache> open_packed(const std::string& path, const std::string& program,
                                           std::string_view configuration) {
  ETALON_TRY(const native::ProgramIdentity identity, native::identity_of(program));
  ETALON_TRY(const MappedFile file, MappedFile::open(program));
  return native::PrepackedCache::open(path, identity, file.bytes(), configuration);
}

}  // namespace

Result<Engine> Engine::choose(const EngineWish& wish, runtime::MethodOptions& options, RunReport& report) {
  ETALON_CHECKED(check_engine(wish.engine));
  native::Options native;
  ETALON_CHECKED(set_math(wish.math, native));
  report.engine_wanted = wish.engine.empty() ? "native" : std::string(wish.engine);
  report.isa_wanted = std::string(wish.isa);
  report.threads_wanted = std::max(wish.threads, 0);
  Engine engine;
  if (report.engine_wanted == "portable") {
    describe_portable(wish, report);
    return engine;
  }
  native.isa = std::string(wish.isa);
  native.threads = static_cast<unsigned>(std::max(wish.threads, 0));
  ETALON_TRY(auto backend, native::NativeBackend::create(native));
  report.engine = "native";
  report.isa = std::string(kernels::info_of(backend->settings().cap).name);
  report.threads = static_cast<int>(backend->settings().threads);
  note_math(backend->settings(), report);
  engine.kernels_ = native::make_native_resolver(backend->settings().cap);
  options.kernels = engine.kernels_.get();
  engine.native_ = backend.get();
  engine.backends_->add(std::string(native::kXnnpackId), std::move(backend));
  options.backends = engine.backends_.get();
  return engine;
}

void Engine::use_packed(const std::string& program, RunReport& report) {
  const std::string path = program + kPackedSuffix;
  if (native_ == nullptr || !file_exists(path)) return;
  auto opened = open_packed(path, program, native::packing_configuration(native_->settings()));
  if (!opened.ok()) {
    report.notes.push_back(opened.error().message() + "; its weights are packed anew (etalon prepack renews it)");
    return;
  }
  packed_ = std::make_unique<native::PrepackedCache>(std::move(*opened));
  native_->keep_packed(packed_.get(), nullptr);
}

Status Engine::collect_packed() {
  if (native_ == nullptr) return unsupported("this engine packs no weights, want --engine native");
  collected_ = std::make_unique<std::vector<native::PackedEntry>>();
  native_->keep_packed(nullptr, collected_.get());
  return {};
}

Result<std::string> Engine::write_packed(const std::string& program) const {
  const std::string path = program + kPackedSuffix;
  ETALON_TRY(const native::ProgramIdentity identity, native::identity_of(program));
  ETALON_TRY(const MappedFile file, MappedFile::open(program));
  ETALON_CHECKED(native::write_prepacked(path, identity, file.bytes(), native::packing_configuration(native_->settings()),
                                         *collected_));
  return path;
}

}  // namespace etalon::cli

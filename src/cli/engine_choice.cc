#include "cli/engine_choice.h"

#include <fmt/core.h>

#include <algorithm>

#include "backends/native/native_backend.h"
#include "backends/native/operators/resolver.h"
#include "base/file.h"
#include "kernels/isa.h"

namespace etalon::cli {
namespace {

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
  if (name == "fast") options.math = kernels::MathMode::kFast;
  if (name.empty() || name == "exact" || name == "direct" || name == "fast") return {};
  return invalid_input(fmt::format("math is '{}', want exact, direct or fast", name));
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
  if (native.math == kernels::MathMode::kFast) {
    report.notes.emplace_back("math fast: errors of 1e-5 of the largest output are allowed");
  }
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

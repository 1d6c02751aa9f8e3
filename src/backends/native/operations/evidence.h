// Small pieces of the evidence that operations give.
#pragma once

#include <string>
#include <string_view>

#include "backends/native/settings.h"
#include "runtime/backend.h"
#include "tensor/dims.h"

namespace etalon::native {

inline std::string shape_text(const Dims& in, const Dims& out) {
  const auto text = [](const Dims& dims) {
    std::string s;
    for (const std::int64_t size : dims) s += (s.empty() ? "" : "x") + std::to_string(size);
    return s.empty() ? std::string("1") : s;
  };
  return text(in) + " -> " + text(out);
}

// What ran, what was wanted, and why they differ: no algorithm of a better ISA exists for it unless `reason` says
// more.
inline void set_isas(runtime::DelegateOperation& evidence, kernels::Isa ran, kernels::Isa wanted,
                     std::string_view reason = {}) {
  evidence.isa = kernels::info_of(ran).name;
  evidence.wanted_isa = kernels::info_of(wanted).name;
  if (ran == wanted) return;
  evidence.reason =
      reason.empty() ? "no kernel of this kind for " + evidence.wanted_isa : std::string(reason);
}

// Wanted is the best that was allowed and offers float32 kernels.
inline void set_isa(runtime::DelegateOperation& evidence, kernels::Isa ran, kernels::Isa cap,
                    std::string_view reason = {}, kernels::MathMode math = kernels::MathMode::kExact) {
  set_isas(evidence, ran, kernels::best_float_isa(cap, math), reason);
}
inline void set_isa(runtime::DelegateOperation& evidence, kernels::Isa ran, const Settings& settings,
                    std::string_view reason = {}) {
  set_isa(evidence, ran, settings.cap, reason, settings.math);
}

// Of a dense product, whose factors may be rounded if --math says so: tells where nothing rounds them.
inline void set_product_isa(runtime::DelegateOperation& evidence, kernels::Isa ran, kernels::MathMode math,
                            const Settings& settings, std::string_view reason = {}) {
  set_isa(evidence, ran, settings, reason);
  const bool may_round = settings.math == kernels::MathMode::kBf16 || settings.math == kernels::MathMode::kFp16;
  if (!may_round || math == settings.math || !evidence.reason.empty()) return;
  evidence.reason = "no kernel of --math " + std::string(kernels::name_of(settings.math)) + " for this: --math " +
                    std::string(kernels::name_of(math)) + " runs";
}

}  // namespace etalon::native

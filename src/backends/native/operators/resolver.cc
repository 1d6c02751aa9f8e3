#include "backends/native/operators/resolver.h"

#include <fmt/core.h>

#include "backends/native/operators/operator.h"
#include "kernels/conv2d/conv2d.h"

namespace etalon::native {

#define OPERATORS(object) extern const NativeFamily object;
#include "backends/native/operators/operators.def"
#undef OPERATORS

namespace {

// A handful of names: looked up once per instruction when a program is loaded.
const NativeOperator* find_operator(std::string_view out_name) {
  static constexpr const NativeFamily* kFamilies[] = {
#define OPERATORS(object) &object,
#include "backends/native/operators/operators.def"
#undef OPERATORS
  };
  for (const NativeFamily* family : kFamilies) {
    for (const NativeOperator& op : *family) {
      if (op.out_name == out_name) return &op;
    }
  }
  return nullptr;
}

class NativeResolver final : public runtime::KernelResolver {
 public:
  explicit NativeResolver(kernels::Isa cap) : cap_(cap), wanted_(kernels::best_float_isa(cap)) {}

  runtime::KernelChoice resolve(const ops::Op& op, const ops::Call& call) const override {
    const NativeOperator* native = find_operator(op.out_name);
    if (native == nullptr) return portable(op, "no SIMD kernel for this operator");
    if (const char* refusal = native->refusal(call)) return portable(op, refusal);
    const CappedKernel& kernel = native->by_cap[static_cast<std::size_t>(cap_)];
    KernelLabel label = native->label(call, cap_);
    if (native->wants_simd && label.isa == kernels::Isa::kScalar) return portable(op, "no SIMD kernel takes this");
    std::string reason;
    if (label.isa != wanted_) {
      reason = fmt::format("float32 kernels of this kind have no form for {}", wanted());
    }
    return {kernel.run,         kernel.scratch,     std::move(label.name), std::string(kernels::info_of(label.isa).name),
            std::string(wanted()), std::move(reason)};
  }

 private:
  std::string_view wanted() const { return kernels::info_of(wanted_).name; }
  runtime::KernelChoice portable(const ops::Op& op, std::string_view reason) const {
    return {op.def->kernel, op.def->scratch, op.out_name, "portable", std::string(wanted()), std::string(reason)};
  }

  kernels::Isa cap_;
  kernels::Isa wanted_;  // the best one of float32 kernels
};

}  // namespace

namespace internal {

const ops::OpDef& portable_of(std::string_view out_name) { return *ops::find_out_op(out_name)->def; }

}  // namespace internal

std::unique_ptr<runtime::KernelResolver> make_native_resolver(kernels::Isa cap) {
  return std::make_unique<NativeResolver>(cap);
}

}  // namespace etalon::native

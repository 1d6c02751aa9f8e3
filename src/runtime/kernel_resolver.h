// Which function runs an operator call. The portable reference kernel of `ops` is the default; an engine with faster
// kernels offers its own resolver and says what it wanted, what it chose and why.
#pragma once

#include <string>

#include "ops/op.h"
#include "ops/registry.h"

namespace etalon::runtime {

struct KernelChoice {
  ops::KernelFn kernel = nullptr;
  ops::ScratchFn scratch = nullptr;  // of this kernel; null: it wants none
  std::string name;                  // "aten::add.out", or the micro-kernel's name
  std::string isa;                   // "portable", "avx2", ...
  std::string wanted_isa;            // what was asked for
  std::string reason;                // why `isa` is not `wanted_isa`; empty when it is
};

// Thread-compatible; asked once per instruction when a method is loaded.
class KernelResolver {
 public:
  virtual ~KernelResolver() = default;
  // `call` shows the arguments with the upper bounds of their sizes.
  virtual KernelChoice resolve(const ops::Op& op, const ops::Call& call) const = 0;
};

// Always the reference kernel of the operator.
class PortableResolver final : public KernelResolver {
 public:
  KernelChoice resolve(const ops::Op& op, const ops::Call&) const override {
    return {op.def->kernel, op.def->scratch, op.out_name, "portable", "portable", {}};
  }
};

}  // namespace etalon::runtime

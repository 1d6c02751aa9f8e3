// What a compilation may use. Filled by NativeBackend::create().
#pragma once

#include <cstdint>
#include <string>

#include "kernels/conv2d/conv2d.h"
#include "kernels/isa.h"

namespace etalon::native {

struct Settings {
  kernels::Isa cap = kernels::Isa::kScalar;
  kernels::MathMode math = kernels::MathMode::kExact;
  kernels::Machine machine;
  unsigned threads = 1;
  bool winograd = true;
  std::uint64_t memory_limit = std::uint64_t{16} << 30;  // bytes of activations of one delegate
};

}  // namespace etalon::native

// What a compilation may use. Filled by NativeBackend::create().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/native/prepacked_cache.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/isa.h"

namespace etalon::native {

struct Settings {
  kernels::Isa cap = kernels::Isa::kScalar;
  kernels::MathMode math = kernels::MathMode::kExact;
  kernels::Machine machine;
  unsigned threads = 1;
  bool winograd = true;
  const PrepackedCache* packed_cache =
      nullptr;  // weights packed in an earlier process; must outlive the delegates
  std::vector<PackedEntry>* packed_sink = nullptr;  // told what was packed, valid as long as the delegates
  std::uint64_t memory_limit = std::uint64_t{16} << 30;  // bytes of activations of one delegate
};

}  // namespace etalon::native

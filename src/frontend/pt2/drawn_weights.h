// Weights of weightless archives, drawn from each tensor's name, role and sizes: the rule of zoo/README.md,
// bit for bit what the Python package draws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tensor/dims.h"
#include "tensor/dtype.h"

namespace etalon::frontend {

// The words that everything is drawn from: FNV-1a of the name seeds splitmix64.
class DrawnWords {
 public:
  explicit DrawnWords(std::string_view name);
  std::uint64_t next();
  float next_uniform();  // [-1, 1), 24 bits

 private:
  std::uint64_t seed_;
  std::uint64_t index_ = 0;
};

// A tensor in row-major order. Integers and bools, which the rule does not draw, are zero.
std::vector<std::byte> draw_weights(std::string_view name, DType dtype, const Dims& sizes);

}  // namespace etalon::frontend

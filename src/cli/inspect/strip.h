// A .pt2 without its weights: people can share a model's shape and not its parameters.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace etalon::cli {

struct StripOutcome {
  std::uint32_t tensors = 0;
  std::uint32_t stripped = 0;
  std::uint64_t removed_bytes = 0;
};

// Copies the archive, with the payloads of floating-point parameters and buffers empty. Everything else keeps its bytes:
// integer tensors and lifted constants cannot be drawn anew. Errors: kInvalidInput (not a .pt2 with raw payloads).
Result<StripOutcome> strip_weights(const std::string& from, const std::string& to);

}  // namespace etalon::cli

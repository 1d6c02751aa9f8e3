// What an operator does, whatever it is called: "native_call_hardtanh.out" and "Clamp (NC, F32) #3" are the
// same work, and so are a 1x1 convolution and a fully connected layer. For matching the operators of two
// graphs.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/profile.h"

namespace etalon::analysis {

enum class WorkKind : std::uint8_t {
  kProduct,     // convolutions and matrix products
  kActivation,  // what kernels fuse into the operator before: clamps, relu, batch norm
  kLayout,      // transposes, copies, reshapes: the same values elsewhere
  kConversion,  // quantise, dequantise, casts: the same values in another type
  kOpaque,      // a delegate of which only the call is known
  kOther,
};

struct Work {
  WorkKind kind = WorkKind::kOther;
  std::string name;  // one for all synonyms: "clamp", "mean", "product"

  // Could compute the same.
  bool operator==(const Work& other) const = default;
};

Work work_of(const OperatorRow& row);

// Disappears into a neighbour when a graph is fused.
inline bool can_be_fused(const Work& work) {
  return work.kind == WorkKind::kActivation || work.kind == WorkKind::kConversion;
}

}  // namespace etalon::analysis

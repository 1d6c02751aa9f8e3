// fp16 payloads computed in float32: which ones, and what becomes of their constants.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "formats/xnn/xnn.h"
#include "kernels/vector/vector.h"

namespace etalon::native {

// No node has fp16 beside quantised tensors; there the plain nodes round as the payload says.
bool can_widen(const formats::xnn::Graph& graph);

// float32 copies of fp16 constants, made once for all plans of a payload. Thread-compatible.
class WidenedConstants {
 public:
  explicit WidenedConstants(kernels::Isa cap) : kernels_(kernels::vector_kernels(cap)) {}

  // The floats of `halves`, which may lie at any address but must stay there unchanged as long as this lives.
  Bytes widen(Bytes halves);
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Place = std::pair<const std::byte*, std::size_t>;
  const kernels::VectorKernels& kernels_;
  std::map<Place, std::unique_ptr<float[]>> copies_;
  std::uint64_t bytes_ = 0;
};

}  // namespace etalon::native

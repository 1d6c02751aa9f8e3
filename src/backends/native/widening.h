// fp16 payloads computed in float32: which ones, and what becomes of their constants.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "backends/native/memory_block.h"
#include "base/bytes.h"
#include "formats/xnn/xnn.h"
#include "kernels/vector/vector.h"

namespace etalon::native {

// No node has fp16 beside quantised tensors; there the plain nodes round as the payload says.
bool can_widen(const formats::xnn::Graph& graph);

// float32 copies of fp16 constants, shared by the plans of a payload. Thread-compatible.
class WidenedConstants {
 public:
  explicit WidenedConstants(kernels::Isa cap) : kernels_(kernels::vector_kernels(cap)) {}

  // The floats of `halves`, which may lie at any address but must stay there unchanged as long as this lives.
  // The copy lives as long, or until keep_only().
  Bytes widen(Bytes halves);
  // Gives back the memory of all copies but those: of filters that have been packed.
  void keep_only(const std::set<const std::byte*>& floats);
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Place = std::pair<const std::byte*, std::size_t>;
  struct Chunk {
    MemoryBlock memory;
    std::size_t used = 0;
  };

  std::byte* room_for(std::size_t bytes);

  const kernels::VectorKernels& kernels_;
  std::map<Place, std::byte*> copies_;
  // Large ones: a copy of its own would cost a page fault for every 4 KiB, which is more than the conversion.
  std::vector<Chunk> chunks_;
  std::uint64_t bytes_ = 0;
};

}  // namespace etalon::native

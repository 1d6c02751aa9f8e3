// A delegate compiled for one set of input sizes: operations in order, memory assigned.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "backends/native/operation.h"
#include "tensor/dims.h"

namespace etalon::native {

struct Plan {
  // A storage that the caller provides at every execution.
  struct External {
    std::uint32_t storage = 0;
    std::uint32_t argument = 0;
  };

  std::vector<Dims> input_dims;   // physical sizes, by argument
  std::vector<Dims> output_dims;  // by argument; rank 0 for those that are no outputs
  std::vector<std::unique_ptr<Operation>> operations;
  std::vector<runtime::DelegateOperation> evidence;  // by operation
  std::vector<std::string_view> event_names;         // by operation; owned by the delegate
  std::vector<External> externals;
  std::vector<std::byte*> bases;  // by storage; those of externals are set at every execution
  // Storages in working memory, and how many bytes into it.
  struct Placed {
    std::uint32_t storage = 0;
    std::size_t offset = 0;
  };
  std::vector<Placed> placed;
  std::size_t arena_bytes = 0;
  std::byte* arena = nullptr;  // what the bases of `placed` count from

  // Points the storages that live in working memory to it.
  void use_arena(std::byte* memory) {
    if (memory == arena) return;
    arena = memory;
    for (const Placed& place : placed) bases[place.storage] = memory + place.offset;
  }
  std::size_t scratch_bytes = 0;  // per worker
};

}  // namespace etalon::native

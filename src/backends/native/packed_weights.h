// Weights as kernels want them: packed once, in one block per compilation, and shared by all plans of a
// delegate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "backends/native/memory_block.h"
#include "backends/native/prepacked_cache.h"
#include "base/result.h"

namespace etalon::native {

// Used by one thread at a time. Data stays where it is until destruction.
class PackedWeights {
 public:
  // What the first commit() asks for is taken from `cache`, if it is there, under `prefix` and its number;
  // the order of requests of one payload is always the same. What it ends up with is appended to `sink`. Both
  // may be null.
  void keep_in(const PrepackedCache* cache, std::vector<PackedEntry>* sink, std::string prefix) {
    cache_ = cache;
    sink_ = sink;
    prefix_ = std::move(prefix);
  }

  // `pack` writes `bytes` bytes at a 64-byte aligned address when commit() is called, unless something with
  // the same key was packed before. Equal keys must mean equal bytes.
  std::uint32_t request(std::string key, std::size_t bytes, std::function<void(std::byte*)> pack);
  Status commit();

  const std::byte* data(std::uint32_t id) const { return entries_[id].data; }  // after commit()
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::size_t bytes = 0;
    const std::byte* data = nullptr;
    std::function<void(std::byte*)> pack;
  };
  void take_from_cache();
  Status pack_missing();
  void give_to_sink();

  const PrepackedCache* cache_ = nullptr;
  std::vector<PackedEntry>* sink_ = nullptr;
  std::string prefix_;
  bool is_committed_ = false;
  std::vector<Entry> entries_;
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  std::vector<MemoryBlock> blocks_;
  std::size_t bytes_ = 0;
};

}  // namespace etalon::native

// Files that must not outlive an interrupt: half-written ones, and scratch of a run that is going on.
//
// A name is held while its holder lives; a signal handler then removes what is held. The table is small and
// fixed, so that a handler may read it at any moment; what finds no room in it is simply not protected.
#pragma once

#include <string>
#include <utility>

namespace etalon {

class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::string& path);
  UnfinishedFile(UnfinishedFile&& other) noexcept : slot_(std::exchange(other.slot_, -1)) {}
  UnfinishedFile& operator=(UnfinishedFile&&) = delete;
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile();

 private:
  int slot_;
};

// Async-signal-safe.
void remove_unfinished_files() noexcept;

}  // namespace etalon

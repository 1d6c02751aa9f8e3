// Content of blobs that may come in pieces. Private to formats/pte.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "formats/pte/pte.h"

namespace etalon::formats::pte {

bool same_content(const Blob& a, const Blob& b);
Status write_blob(const Blob& blob, const ByteSink& sink);

// Gives equal contents equal numbers, counting from 0 in order of first appearance.
class ContentNumbers {
 public:
  // The blob must stay where it is while this object is used.
  std::uint32_t number_of(const Blob& blob);
  const std::vector<const Blob*>& unique() const { return unique_; }

 private:
  std::vector<const Blob*> unique_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_key_;
};

}  // namespace etalon::formats::pte

#include "analysis/content_hash.h"

#include "base/file.h"

namespace etalon::analysis {

Result<std::string> hash_file(const std::string& path) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  return "sha256:" + sha256_hex(file.bytes());
}

}  // namespace etalon::analysis

// Files: read-only mapping, and writes that are either whole or absent.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unfinished.h"

namespace etalon {

// A file mapped read-only; pages are loaded when touched, so opening costs the same for any size.
// Move-only; the bytes stay valid and at the same address until destruction. The start is page-aligned.
// Errors: kNotFound, kIo, kInvalidInput (a directory or a device).
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  Bytes bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, Bytes bytes) : path_(std::move(path)), bytes_(bytes) {}
  std::string path_;
  Bytes bytes_;
};

// Writes a file through a temporary name in the same folder; commit() renames it into place.
// Without commit() (an error, an interrupt) the temporary is removed and the old file is untouched.
// A link is followed, so that it stays one; what is no regular file (a device, a pipe) is written as it is.
class FileWriter {
 public:
  static Result<FileWriter> create(const std::string& path);

  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter();

  Status write(Bytes bytes);
  Status write(std::string_view text) { return write(as_byte_span(text)); }
  Status write_zeros(std::size_t count);
  std::uint64_t offset() const { return offset_; }
  Status commit();

 private:
  FileWriter(std::string path, std::string target, std::string temporary, int fd)
      : path_(std::move(path)),
        target_(std::move(target)),
        temporary_(std::move(temporary)),
        unfinished_(temporary_),
        fd_(fd) {}
  void discard();

  std::string path_;       // as named by the caller, for messages
  std::string target_;     // with links resolved
  std::string temporary_;  // empty: written in place
  UnfinishedFile unfinished_;
  int fd_ = -1;
  std::uint64_t offset_ = 0;
};

// One-call forms.
Status write_file(const std::string& path, Bytes bytes);
inline Status write_file(const std::string& path, std::string_view text) {
  return write_file(path, as_byte_span(text));
}
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes = std::size_t{1} << 30);

// `mkdir -p`.
Status make_directories(const std::string& path);
bool file_exists(const std::string& path);

}  // namespace etalon

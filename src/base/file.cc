#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace etalon {
namespace {

Error os_error(const std::string& path, const char* doing, int code) {
  const std::string text = path + ": cannot " + doing + ": " + std::strerror(code);
  return code == ENOENT ? not_found(text) : io_error(text);
}

std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real != nullptr ? std::string(real.get()) : path;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  // Without O_NONBLOCK opening a pipe that nobody writes to would wait for ever.
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return os_error(path, "open", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return os_error(path, "stat", errno);
  if (!S_ISREG(info.st_mode)) return invalid_input(path + ": not a regular file");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return MappedFile(path, {});
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (address == MAP_FAILED) return os_error(path, "map", errno);
  return MappedFile(path, {static_cast<const std::byte*>(address), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Result<FileWriter> FileWriter::create(const std::string& path) {
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return invalid_input(path + ": is a folder, want the name of a file");
  // A device or a pipe cannot be replaced by a file of its name (and root could, to everyone's harm).
  if (exists && !S_ISREG(info.st_mode)) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return os_error(path, "open", errno);
    return FileWriter(path, path, {}, fd);
  }
  std::string target = exists ? resolved(path) : path;
  std::string temporary = target + ".tmp-" + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return os_error(path, "create", errno);
  return FileWriter(path, std::move(target), std::move(temporary), fd);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::move(other.temporary_)),
      unfinished_(std::move(other.unfinished_)),
      fd_(std::exchange(other.fd_, -1)),
      offset_(other.offset_) {}

FileWriter::~FileWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  discard();
}

void FileWriter::discard() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status FileWriter::write(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os_error(path_, "write", errno);
    offset_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status FileWriter::write_zeros(std::size_t count) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (count > 0) {
    const std::size_t part = std::min(count, kZeros.size());
    ETALON_CHECKED(write(Bytes(kZeros).first(part)));
    count -= part;
  }
  return {};
}

Status FileWriter::commit() {
  // close() reports what a full or remote disk refused late; rename happens only after that.
  if (::close(std::exchange(fd_, -1)) != 0) {
    const int code = errno;
    discard();
    return os_error(path_, "write", code);
  }
  if (!temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    const int code = errno;
    discard();
    return os_error(path_, "rename into place", code);
  }
  return {};
}

Status write_file(const std::string& path, Bytes bytes) {
  ETALON_TRY(FileWriter writer, FileWriter::create(path));
  ETALON_CHECKED(writer.write(bytes));
  return writer.commit();
}

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  if (file.bytes().size() > max_bytes) {
    return resource_error(path + ": file has " + std::to_string(file.bytes().size()) + " bytes, the limit is " +
                          std::to_string(max_bytes));
  }
  return std::string(as_text(file.bytes()));
}

Status make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1); !path.empty(); end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) return os_error(part, "create folder", errno);
    if (end == std::string::npos) break;
  }
  struct stat info {};
  if (!path.empty() && (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))) {
    return io_error(path + ": exists and is not a folder");
  }
  return {};
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace etalon

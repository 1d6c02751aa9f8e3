#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace etalon {
namespace {

std::string temporary_path(const char* name) { return testing::TempDir() + name; }

TEST(File, write_then_map_gives_the_same_bytes) {
  const std::string path = temporary_path("etalon_file_test");
  ASSERT_TRUE(write_file(path, "hello").ok());
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(as_text(file->bytes()), "hello");
}

TEST(File, a_writer_that_is_not_committed_leaves_the_old_file) {
  const std::string path = temporary_path("etalon_file_keep");
  ASSERT_TRUE(write_file(path, "old").ok());
  {
    auto writer = FileWriter::create(path);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->write("new").ok());
  }
  EXPECT_EQ(read_text_file(path).value(), "old");
}

TEST(File, errors_name_the_file_and_say_what_kind) {
  const auto missing = MappedFile::open("/nonexistent/file");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message().find("/nonexistent/file"), std::string::npos);
  EXPECT_EQ(MappedFile::open("/tmp").error().code(), ErrorCode::kInvalidInput);
}

TEST(File, a_full_disk_is_an_error_and_a_device_is_not_replaced) {
  if (!file_exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  const std::string path = temporary_path("etalon_full_disk");  // a link, so that a mistake harms no device
  ::unlink(path.c_str());
  ASSERT_EQ(::symlink("/dev/full", path.c_str()), 0);
  const Status written = write_file(path, "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code(), ErrorCode::kIo);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

TEST(File, writing_through_a_link_keeps_the_link) {
  const std::string target = temporary_path("etalon_link_target");
  const std::string link = temporary_path("etalon_link");
  ::unlink(link.c_str());
  ASSERT_TRUE(write_file(target, "old").ok());
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  ASSERT_TRUE(write_file(link, "new").ok());
  struct stat info {};
  ASSERT_EQ(::lstat(link.c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  EXPECT_EQ(read_text_file(target).value(), "new");
}

TEST(File, a_folder_in_the_place_of_an_output_is_refused_at_once) {
  const auto writer = FileWriter::create("/tmp");
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().code(), ErrorCode::kInvalidInput);
}

TEST(File, a_pipe_is_refused_without_waiting_for_a_writer) {
  const std::string path = temporary_path("etalon_pipe");
  ::unlink(path.c_str());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::open(path).error().code(), ErrorCode::kInvalidInput);
}

TEST(File, an_interrupt_removes_what_is_half_written_and_nothing_else) {
  const std::string path = temporary_path("etalon_interrupted");
  ASSERT_TRUE(write_file(path, "old").ok());
  auto writer = FileWriter::create(path);
  ASSERT_TRUE(writer.ok());
  const std::string temporary = path + ".tmp-" + std::to_string(::getpid());
  EXPECT_TRUE(file_exists(temporary));
  remove_unfinished_files();
  EXPECT_FALSE(file_exists(temporary));
  EXPECT_EQ(read_text_file(path).value(), "old");
}

TEST(File, make_directories_makes_every_level) {
  const std::string path = temporary_path("etalon_dirs/a/b/c");
  ASSERT_TRUE(make_directories(path).ok());
  EXPECT_TRUE(file_exists(path));
  EXPECT_TRUE(make_directories(path).ok());
}

TEST(Bytes, slices_outside_the_bytes_are_nothing) {
  const Bytes bytes = as_byte_span("abcd");
  EXPECT_EQ(as_text(*slice(bytes, 1, 2)), "bc");
  EXPECT_FALSE(slice(bytes, 3, 2));
  EXPECT_FALSE(slice(bytes, ~std::uint64_t{0}, 2));
  EXPECT_EQ(read_le<std::uint16_t>(bytes, 0).value(), 0x6261);
  EXPECT_FALSE(read_le<std::uint32_t>(bytes, 1));
}

}  // namespace
}  // namespace etalon

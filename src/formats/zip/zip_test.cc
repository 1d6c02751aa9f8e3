#include "formats/zip/zip.h"

#include <gtest/gtest.h>

#include "formats/sample_test.h"

namespace etalon::formats::zip {
namespace {

std::string temporary(const std::string& name) { return testing::TempDir() + "/etalon_zip_" + name; }

struct Item {
  std::string name;
  std::string content;
  std::uint32_t alignment = 1;
};

std::vector<std::byte> archive_of(const std::vector<Item>& items) {
  const std::string path = temporary("archive");
  auto file = FileWriter::create(path);
  EXPECT_TRUE(file.ok());
  ZipWriter writer(*file);
  for (const Item& item : items) {
    EXPECT_TRUE(writer.add(item.name, as_byte_span(item.content), item.alignment).ok());
  }
  EXPECT_TRUE(writer.finish().ok());
  EXPECT_TRUE(file->commit().ok());
  return copy_of(MappedFile::open(path)->bytes());
}

TEST(Zip, reads_back_what_it_writes_without_copying) {
  const auto bytes = archive_of({{"a", "first"}, {"folder/b", "second one", 64}, {"empty", ""}});
  const auto zip = ZipReader::open(bytes);
  ASSERT_TRUE(zip.ok()) << zip.error().message();
  ASSERT_EQ(zip->entries().size(), 3U);
  EXPECT_EQ(as_text(zip->find("a")->stored), "first");
  const Entry* aligned = zip->find("folder/b");
  ASSERT_NE(aligned, nullptr);
  EXPECT_EQ(as_text(aligned->stored), "second one");
  EXPECT_EQ((aligned->stored.data() - bytes.data()) % 64, 0);
  EXPECT_EQ(zip->find("nothing"), nullptr);
  EXPECT_EQ(zip->find("empty")->size, 0U);
}

TEST(Zip, writes_equal_bytes_for_equal_content) {
  EXPECT_EQ(archive_of({{"a", "x"}, {"b", "y", 64}}), archive_of({{"a", "x"}, {"b", "y", 64}}));
}

// "aaaa..." (100 times) as deflated by zlib, in an archive made by hand around it.
std::vector<std::byte> deflated_archive(std::uint32_t claimed_size, std::uint32_t crc) {
  const std::string packed("\x4b\x4c\xa4\x3d\x00\x00", 6);
  std::string out;
  const auto put = [&](const auto value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  const auto sizes = [&] {
    put(crc);
    put(static_cast<std::uint32_t>(packed.size()));
    put(claimed_size);
  };
  put(std::uint32_t{0x04034b50});
  for (const int v : {20, 0, 8, 0, 0}) put(static_cast<std::uint16_t>(v));
  sizes();
  put(std::uint16_t{1});
  put(std::uint16_t{0});
  out += "z" + packed;
  const auto directory = static_cast<std::uint32_t>(out.size());
  put(std::uint32_t{0x02014b50});
  for (const int v : {20, 20, 0, 8, 0, 0}) put(static_cast<std::uint16_t>(v));
  sizes();
  for (const int v : {1, 0, 0, 0, 0}) put(static_cast<std::uint16_t>(v));
  put(std::uint32_t{0});
  put(std::uint32_t{0});
  out += "z";
  const auto size = static_cast<std::uint32_t>(out.size()) - directory;
  put(std::uint32_t{0x06054b50});
  for (const int v : {0, 0, 1, 1}) put(static_cast<std::uint16_t>(v));
  put(size);
  put(directory);
  put(std::uint16_t{0});
  return copy_of(as_byte_span(out));
}
constexpr std::uint32_t kCrcOf100 = 0xaf707a64;

TEST(Zip, inflates_deflated_entries) {
  const auto bytes = deflated_archive(100, kCrcOf100);
  const auto zip = ZipReader::open(bytes);
  ASSERT_TRUE(zip.ok()) << zip.error().message();
  const auto content = ZipReader::read(zip->entries()[0]);
  ASSERT_TRUE(content.ok()) << content.error().message();
  EXPECT_EQ(as_text(content->bytes), std::string(100, 'a'));
  const auto limited = ZipReader::read(zip->entries()[0], 99);
  ASSERT_FALSE(limited.ok());
  EXPECT_EQ(limited.error().code(), ErrorCode::kResource);
}

TEST(Zip, refuses_inflated_data_of_another_size_or_checksum) {
  for (const std::uint32_t size : {0U, 99U, 101U}) {
    const auto bytes = deflated_archive(size, kCrcOf100);
    const auto zip = ZipReader::open(bytes);
    ASSERT_TRUE(zip.ok());
    EXPECT_FALSE(ZipReader::read(zip->entries()[0]).ok()) << size;
  }
  const auto bytes = deflated_archive(100, 1);
  EXPECT_FALSE(ZipReader::read(ZipReader::open(bytes)->entries()[0]).ok());
}

TEST(Zip, refuses_two_entries_of_one_name) {
  const auto bytes = archive_of({{"a", "x"}, {"a", "y"}});
  const auto zip = ZipReader::open(bytes);
  ASSERT_FALSE(zip.ok());
  EXPECT_NE(zip.error().message().find("twice"), std::string::npos);
}

TEST(Zip, refuses_entries_that_overlap) {
  auto bytes = archive_of({{"a", "same"}, {"b", "same"}});
  // Points the second directory entry at the first one's data.
  const std::string_view text = as_text(bytes);
  const std::size_t second = text.rfind("PK\x01\x02");
  std::memset(bytes.data() + second + 42, 0, 4);
  const auto zip = ZipReader::open(bytes);
  ASSERT_FALSE(zip.ok());
  EXPECT_NE(zip.error().message().find("overlap"), std::string::npos);
}

TEST(Zip, refuses_encrypted_entries_by_name) {
  auto bytes = archive_of({{"secret", "x"}});
  const std::size_t directory = as_text(bytes).rfind("PK\x01\x02");
  bytes[directory + 8] |= std::byte{1};
  const auto zip = ZipReader::open(bytes);
  ASSERT_FALSE(zip.ok());
  EXPECT_EQ(zip.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(zip.error().message().find("secret"), std::string::npos);
}

TEST(Zip, reads_zip64_archives_of_pytorch) {
  const auto file = sample("tiny_cnn.pt2");
  const auto zip = ZipReader::open(file.bytes());
  ASSERT_TRUE(zip.ok()) << zip.error().message();
  EXPECT_EQ(as_text(zip->find("tiny_cnn/byteorder")->stored), "little");
}

TEST(Zip, refuses_every_truncation) {
  const auto bytes = archive_of({{"a", "first"}, {"b", "second", 64}});
  expect_every_truncation_fails(bytes, [](Bytes cut) { return ZipReader::open(cut).ok(); });
}

TEST(Zip, survives_every_byte_flip) {
  const auto read = [](Bytes bytes) {
    const auto zip = ZipReader::open(bytes);
    if (!zip.ok()) return;
    for (const Entry& entry : zip->entries()) (void)ZipReader::read(entry, 1 << 20).ok();
  };
  flip_every_byte(archive_of({{"a", "first"}, {"b", "second", 64}}), read);
  flip_every_byte(deflated_archive(100, kCrcOf100), read);
}

}  // namespace
}  // namespace etalon::formats::zip

// Real files for decoder tests, and the two kinds of damage that every decoder must survive.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"

namespace etalon::formats {

// tests/data/formats/<name>; its README.md says how each file was made.
inline MappedFile sample(const std::string& name) {
  auto file = MappedFile::open(std::string(ETALON_SOURCE_DIR) + "/tests/data/formats/" + name);
  ETALON_CHECK(file.ok());
  return std::move(file).value();
}

inline std::vector<std::byte> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// Cuts into buffers of exactly the cut's size, so that sanitizers see reading past the end.
template <class Decode>
void expect_every_truncation_fails(Bytes file, Decode&& decode, std::size_t step = 1) {
  for (std::size_t size = 0; size < file.size(); size += step) {
    const std::vector<std::byte> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decode(Bytes(cut))) << "cut to " << size << " of " << file.size() << " bytes";
  }
}

template <class Decode>
void flip_every_byte(Bytes file, Decode&& decode, std::size_t step = 1) {
  std::vector<std::byte> damaged = copy_of(file);
  for (std::size_t i = 0; i < damaged.size(); i += step) {
    for (const auto mask : {std::byte{0xff}, std::byte{0x80}, std::byte{0x01}}) {
      damaged[i] ^= mask;
      decode(Bytes(damaged));
      damaged[i] ^= mask;
    }
  }
}

}  // namespace etalon::formats

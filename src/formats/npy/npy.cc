// The header is a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
#include "formats/npy/npy.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace etalon::formats::npy {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;

struct Type {
  std::string_view descr;
  std::size_t size;
  std::int8_t dtype;  // c10 number, -1 if there is none
};
constexpr Type kTypes[] = {
    {"<f4", 4, 6},  {"<f2", 2, 5},  {"<f8", 8, 7}, {"<i8", 8, 4},    {"<i4", 4, 3},
    {"<i2", 2, 2},  {"|i1", 1, 1},  {"|u1", 1, 0}, {"|b1", 1, 11},   {"<u2", 2, 27},
    {"<u4", 4, 28}, {"<u8", 8, 29}, {"<c8", 8, 9}, {"<c16", 16, 10}, {"<i1", 1, 1},
    {"<u1", 1, 0},  {"<b1", 1, 11}, {"i1", 1, 1},  {"u1", 1, 0},     {"b1", 1, 11},
};

const Type* find_type(std::string_view descr) {
  for (const Type& type : kTypes) {
    if (type.descr == descr) return &type;
  }
  return nullptr;
}

std::optional<std::uint64_t> data_size(std::size_t item, const std::vector<std::int64_t>& shape) {
  std::uint64_t total = item;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    const auto next = checked_mul(total, static_cast<std::uint64_t>(size));
    if (!next) return std::nullopt;
    total = *next;
  }
  return total;
}

// Reads the dict: names and strings in quotes, True, False, tuples of integers.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  Status read(Array& out) {
    if (!accept('{')) return unexpected("'{'");
    while (!accept('}')) {
      ETALON_TRY(const std::string_view key, quoted());
      if (!accept(':')) return unexpected("':'");
      ETALON_CHECKED(member(key, out));
      if (!accept(',') && peek() != '}') return unexpected("',' or '}'");
    }
    if (seen_ != 7) return invalid_input("npy: the header lacks 'descr', 'fortran_order' or 'shape'");
    return {};
  }

 private:
  Status member(std::string_view key, Array& out) {
    if (key == "descr") {
      seen_ |= 1;
      if (peek() == '[') return unsupported("npy: structured arrays");
      ETALON_TRY(const std::string_view descr, quoted());
      out.descr = descr;
      return {};
    }
    if (key == "fortran_order") {
      seen_ |= 2;
      out.fortran_order = accept_word("True");
      return out.fortran_order || accept_word("False") ? Status() : Status(unexpected("True or False"));
    }
    if (key == "shape") {
      seen_ |= 4;
      return shape(out.shape);
    }
    return invalid_input(fmt::format("npy: unknown header member '{}'", key));
  }

  Status shape(std::vector<std::int64_t>& out) {
    out.clear();
    if (!accept('(')) return unexpected("'('");
    while (!accept(')')) {
      skip_space();
      std::int64_t size = 0;
      const char* begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) return unexpected("a size");
      at_ += static_cast<std::size_t>(end - begin);
      out.push_back(size);
      if (!accept(',') && peek() != ')') return unexpected("',' or ')'");
    }
    return {};
  }

  Result<std::string_view> quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return unexpected("a quoted name");
    const std::size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos) return unexpected("a closing quote");
    const std::string_view out = text_.substr(at_, end - at_);
    at_ = end + 1;
    return out;
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  Error unexpected(std::string_view wanted) const {
    return invalid_input(fmt::format("npy: header byte {} is not {}", at_, wanted));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned seen_ = 0;
};

struct Parts {
  std::string_view header;
  std::size_t data_offset = 0;
};

Result<Parts> split(Bytes file) {
  const auto head = slice(file, 0, 10);
  if (!head || as_text(head->first(6)) != kMagic) return invalid_input("npy: not a NumPy array file");
  const auto major = *read_le<std::uint8_t>(*head, 6);
  if (major < 1 || major > 3) return unsupported(fmt::format("npy: format version {}, want 1 to 3", major));
  const std::size_t start = major == 1 ? 10 : 12;
  const auto length = major == 1 ? std::optional<std::uint32_t>(read_le<std::uint16_t>(file, 8))
                                 : read_le<std::uint32_t>(file, 8);
  const auto header = length ? slice(file, start, *length) : std::nullopt;
  if (!header) return invalid_input("npy: the header is cut off");
  return Parts{as_text(*header), start + header->size()};
}

Error unknown_type(std::string_view descr) {
  return unsupported(
      fmt::format("npy: element type '{}', want a little-endian number or bool; bfloat16 has no NumPy "
                  "type, convert it to float32",
                  descr));
}

}  // namespace

Result<Array> decode(Bytes file) {
  ETALON_TRY(const Parts parts, split(file));
  Array out;
  ETALON_CHECKED(HeaderReader(parts.header).read(out));
  const Type* const type = find_type(out.descr);
  if (type == nullptr) return unknown_type(out.descr);
  out.item_size = type->size;
  const auto size = data_size(type->size, out.shape);
  const auto data = size ? slice(file, parts.data_offset, *size) : std::nullopt;
  if (!data) {
    return invalid_input(fmt::format("npy: {} bytes of data, shape ({}) wants {}",
                                     file.size() - parts.data_offset, fmt::join(out.shape, ", "),
                                     size ? std::to_string(*size) : "more than fits"));
  }
  out.data = *data;
  return out;
}

Result<std::string> encode_header(std::string_view descr, const std::vector<std::int64_t>& shape) {
  const Type* const type = find_type(descr);
  if (type == nullptr) return unknown_type(descr);
  if (!data_size(type->size, shape))
    return invalid_input(fmt::format("npy: bad shape ({})", fmt::join(shape, ", ")));
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const std::size_t total = round_up(kMagic.size() + 4 + dict.size() + 1, kAlignment);
  dict.append(total - kMagic.size() - 4 - dict.size() - 1, ' ').push_back('\n');
  if (dict.size() > 0xffff) return invalid_input("npy: too many dimensions");
  std::string out(kMagic);
  out.append({'\x01', '\x00', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)});
  return out + dict;
}

Result<std::vector<std::byte>> encode(std::string_view descr, const std::vector<std::int64_t>& shape,
                                      Bytes data) {
  ETALON_TRY(const std::string header, encode_header(descr, shape));
  const auto wanted = data_size(find_type(descr)->size, shape);
  if (wanted != data.size()) {
    return invalid_input(fmt::format("npy: {} bytes of data, shape ({}) wants {}", data.size(),
                                     fmt::join(shape, ", "), wanted.value_or(0)));
  }
  const Bytes head = as_byte_span(header);
  std::vector<std::byte> out(head.begin(), head.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

Result<std::string> descr_of_dtype(std::int8_t dtype) {
  for (const Type& type : kTypes) {
    if (type.dtype == dtype) return std::string(type.descr);
  }
  return unsupported(
      fmt::format("npy: NumPy has no type for dtype number {}; convert to float32 first", dtype));
}

std::int8_t dtype_of_descr(std::string_view descr) {
  const Type* const type = find_type(descr);
  return type == nullptr ? std::int8_t{-1} : type->dtype;
}

}  // namespace etalon::formats::npy

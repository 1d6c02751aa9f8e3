#include "formats/detect.h"

#include <array>

#include "formats/zip/zip.h"

namespace etalon::formats {
namespace {

struct KindText {
  std::string_view name;
  std::string_view description;
};
// In the order of FileKind.
constexpr std::array<KindText, 9> kTexts = {{
    {"pte", "ExecuTorch program (.pte)"},
    {"pt2", "torch.export archive (.pt2)"},
    {"onnx", "ONNX model (.onnx)"},
    {"etdump", "ExecuTorch event file (.etdump)"},
    {"etrecord", "ExecuTorch record (.etrecord)"},
    {"bpte", "ExecuTorch bundled program (.bpte)"},
    {"ptd", "ExecuTorch tensor data (.ptd)"},
    {"npy", "NumPy array (.npy)"},
    {"unknown", "file of unknown kind"},
}};

bool has_text(Bytes file, std::size_t offset, std::string_view text) {
  const auto part = slice(file, offset, text.size());
  return part && as_text(*part) == text;
}

FileKind detect_zip(Bytes file) {
  const auto zip = zip::ZipReader::open(file);
  if (!zip.ok()) return FileKind::kUnknown;
  if (zip->find("ETRECORD_V0") != nullptr) return FileKind::kEtrecord;
  if (zip->find("serialized_exported_program.json") != nullptr) return FileKind::kPt2;
  for (const zip::Entry& entry : zip->entries()) {
    const std::size_t slash = entry.name.find('/');
    if (slash == std::string_view::npos) continue;
    const std::string_view inner = entry.name.substr(slash + 1);
    if (inner == "archive_format" || (inner.starts_with("models/") && inner.ends_with(".json")))
      return FileKind::kPt2;
  }
  return FileKind::kUnknown;
}

// A protobuf varint; moves `at` past it.
bool read_varint(Bytes bytes, std::size_t& at, std::uint64_t& out) {
  out = 0;
  for (unsigned shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[at++]);
    out |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

// A ModelProto has no magic, so we walk over its top fields: all known, ir_version or a graph among them.
bool looks_like_onnx(Bytes file) {
  constexpr std::uint64_t kLastField = 25;
  constexpr std::uint64_t kIrVersion = 1;
  constexpr std::uint64_t kGraph = 7;
  bool has_version = false;
  bool has_graph = false;
  std::size_t at = 0;
  for (int fields = 0; fields < 64 && at < file.size(); ++fields) {
    std::uint64_t tag = 0;
    std::uint64_t value = 0;
    if (!read_varint(file, at, tag) || tag >> 3 == 0 || tag >> 3 > kLastField ||
        !read_varint(file, at, value)) {
      return false;
    }
    if ((tag & 7) == 0) {
      has_version |= tag >> 3 == kIrVersion && value > 0 && value < 1000;
    } else if ((tag & 7) == 2) {
      has_graph |= tag >> 3 == kGraph;
      if (value > file.size() - at) return has_version && has_graph;  // cut off, but surely meant as one
      at += static_cast<std::size_t>(value);
    } else {
      return false;
    }
  }
  return has_version && has_graph;
}

}  // namespace

FileKind detect(Bytes file) {
  if (has_text(file, 0, "PK\x03\x04")) return detect_zip(file);
  if (has_text(file, 0, "\x93NUMPY")) return FileKind::kNpy;
  if (has_text(file, 8, "ED00")) return FileKind::kEtdump;
  if (has_text(file, 4, "ED00")) return FileKind::kEtdump;
  if (has_text(file, 4, "FT01")) return FileKind::kPtd;
  if (has_text(file, 4, "BP08")) return FileKind::kBpte;
  if (has_text(file, 4, "ET")) {
    const auto digits = slice(file, 6, 2);
    const auto is_digit = [](std::byte b) { return b >= std::byte{'0'} && b <= std::byte{'9'}; };
    if (digits && is_digit((*digits)[0]) && is_digit((*digits)[1])) return FileKind::kPte;
  }
  return looks_like_onnx(file) ? FileKind::kOnnx : FileKind::kUnknown;
}

std::string_view describe(FileKind kind) { return kTexts[static_cast<std::size_t>(kind)].description; }
std::string_view short_name(FileKind kind) { return kTexts[static_cast<std::size_t>(kind)].name; }

}  // namespace etalon::formats

#include "cli/inspect/describe.h"

#include <fmt/core.h>

#include <set>

#include "tensor/dtype.h"

namespace etalon::cli {
namespace {

bool is_flat(const Json& json) {
  for (const auto& item : json) {
    if (item.is_structured() && !item.empty()) return false;
  }
  return true;
}

std::string leaf_text(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string row_text(const Json& object) {
  std::string out;
  for (const auto& [key, value] : object.items()) {
    if (value.is_structured() && value.empty()) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", key, leaf_text(value));
  }
  return out;
}

void collect(const Json& a, const Json& b, const std::string& path, std::vector<std::string>& out) {
  if (a == b) return;
  if (!(a.is_structured() && b.is_structured())) {
    out.push_back(fmt::format("{}: {} -> {}", path, leaf_text(a), leaf_text(b)));
    return;
  }
  const Json left = a.flatten();
  const Json right = b.flatten();
  std::set<std::string> keys;
  for (const auto& [key, value] : left.items()) keys.insert(key);
  for (const auto& [key, value] : right.items()) keys.insert(key);
  for (const std::string& key : keys) {
    const bool in_left = left.contains(key);
    const bool in_right = right.contains(key);
    if (in_left && in_right && left[key] == right[key]) continue;
    out.push_back(fmt::format("{}: {} -> {}", key.empty() ? path : key.substr(1), in_left ? leaf_text(left[key]) : "absent",
                              in_right ? leaf_text(right[key]) : "absent"));
  }
}

}  // namespace

Result<Json> describe_file(Bytes file) {
  using formats::FileKind;
  switch (formats::detect(file)) {
    case FileKind::kPte: return describe_pte(file);
    case FileKind::kPt2: return describe_pt2(file);
    case FileKind::kEtdump: return describe_etdump(file);
    case FileKind::kEtrecord: return describe_etrecord(file);
    case FileKind::kBpte: return describe_bpte(file);
    case FileKind::kPtd: return describe_ptd(file);
    case FileKind::kNpy: return describe_npy(file);
    case FileKind::kOnnx: return unsupported("is an ONNX model, which cannot be read yet");
    case FileKind::kUnknown: break;
  }
  return invalid_input("found none of the formats that can be read, want .pte, .pt2, .etdump, .etrecord, .bpte, .ptd or .npy");
}

std::string tensor_text(std::int8_t dtype, const std::vector<std::int64_t>& sizes, bool bounded) {
  const auto known = dtype_from_number(dtype);
  std::string out = known ? std::string(short_name_of(*known)) : fmt::format("dtype{}", dtype);
  out += "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) out += fmt::format("{}{}", i > 0 ? ", " : "", sizes[i]);
  return out + (bounded ? "] at most" : "]");
}

std::string to_people(const Json& json, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string out;
  for (const auto& [key, value] : json.items()) {
    const std::string label = json.is_array() ? "-" : key + ":";
    if (!value.is_structured()) {
      out += fmt::format("{}{} {}\n", margin, label, leaf_text(value));
    } else if (value.empty()) {
      out += fmt::format("{}{} none\n", margin, label);
    } else if (value.is_object() && json.is_array() && is_flat(value)) {
      out += fmt::format("{}- {}\n", margin, row_text(value));
    } else {
      out += fmt::format("{}{}\n{}", margin, label, to_people(value, indent + 2));
    }
  }
  return out;
}

std::vector<std::string> differences(const Json& a, const Json& b) {
  std::vector<std::string> out;
  collect(a, b, "", out);
  return out;
}

}  // namespace etalon::cli

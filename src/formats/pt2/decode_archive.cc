// ZIP layout of torch 2.8 to 2.13 -> Archive.
#include "formats/json_reading.h"
#include "formats/pt2/decode_graph.h"
#include "formats/pt2/pt2.h"
#include "formats/pt2/strided.h"
#include "formats/zip/zip.h"

namespace etalon::formats::pt2 {
namespace {

using json::element;
using json::object;

// Weights are stored by every torch; only archives packed again by hand have compressed ones.
constexpr std::uint64_t kMaxInflatedPayload = std::uint64_t{1} << 32;

using Tensors = std::map<std::string, StoredTensor, std::less<>>;

Result<std::vector<std::int64_t>> fixed(const std::vector<SymInt>& sizes) {
  std::vector<std::int64_t> out;
  for (const SymInt& size : sizes) {
    if (size.is_symbolic()) return unsupported("a stored tensor has a symbolic size");
    out.push_back(size.value);
  }
  return out;
}

// A payload that is empty although the tensor is not stands for weights taken out.
Status check_payload(StoredTensor& tensor) {
  ETALON_TRY(const std::uint64_t needed,
             needed_storage({tensor.dtype, tensor.sizes, tensor.strides, tensor.storage_offset}));
  tensor.is_missing = needed > 0 && tensor.payload.empty();
  if (tensor.is_missing || needed <= tensor.payload.size()) return {};
  return invalid_input(fmt::format("{} bytes are stored, want {}", tensor.payload.size(), needed));
}

Result<StoredTensor> from_saved(SavedTensor saved) {
  StoredTensor out;
  out.dtype = saved.dtype;
  out.is_param = saved.is_param;
  out.requires_grad = saved.requires_grad;
  out.sizes = std::move(saved.sizes);
  out.strides = std::move(saved.strides);
  out.storage_offset = saved.storage_offset;
  out.payload = saved.storage;
  ETALON_CHECKED(check_payload(out));
  return out;
}

class ArchiveReader {
 public:
  ArchiveReader(const zip::ZipReader& zip, std::string root) : zip_(zip), root_(std::move(root)) {}

  Result<Archive> read() {
    Archive out;
    out.root = root_;
    const std::string prefix = root_ + "/models/";
    for (const zip::Entry& entry : zip_.entries()) {
      if (!entry.name.starts_with(prefix) || !entry.name.ends_with(".json")) continue;
      std::string_view name = entry.name.substr(prefix.size());
      name.remove_suffix(5);
      ETALON_TRY(Model model, read_model(entry, std::string(name)), fmt::format("model '{}'", name));
      out.models.push_back(std::move(model));
    }
    if (out.models.empty()) {
      return invalid_input(fmt::format("not a torch.export archive: no entry '{}<name>.json'", prefix));
    }
    return out;
  }

 private:
  Result<Model> read_model(const zip::Entry& entry, std::string name) {
    Model out;
    out.name = std::move(name);
    ETALON_TRY(const zip::Content text, zip::ZipReader::read(entry));
    ETALON_TRY(out.program, decode_program(text.bytes));
    ETALON_TRY(out.weights, read_tensors("data/weights/", out.name, "_weights_config.json"), "weights");
    ETALON_TRY(out.constants, read_tensors("data/constants/", out.name, "_constants_config.json"),
               "constants");
    for (const auto& [fqn, tensor] : out.weights) out.is_weightless |= tensor.is_missing;
    if (const auto* inputs = zip_.find(fmt::format("{}/data/sample_inputs/{}.pt", root_, out.name))) {
      ETALON_TRY(out.sample_inputs_file, content(*inputs));
    }
    out.inflated = std::exchange(owned_, {});
    inflated_.clear();
    return out;
  }

  // torch 2.8 kept one torch.save dict, newer releases a list and one file per storage.
  Result<Tensors> read_tensors(std::string_view folder, const std::string& model, std::string_view suffix) {
    if (const auto* saved = zip_.find(fmt::format("{}/{}{}.pt", root_, folder, model))) {
      ETALON_TRY(const Bytes bytes, content(*saved));
      return bytes.empty() ? Result<Tensors>(Tensors()) : read_saved_dict(bytes);
    }
    const auto* config = zip_.find(fmt::format("{}/{}{}{}", root_, folder, model, suffix));
    if (config == nullptr) return Tensors();
    ETALON_TRY(const zip::Content text, zip::ZipReader::read(*config));
    return read_config(text.bytes, folder);
  }

  static Result<Tensors> read_saved_dict(Bytes bytes) {
    ETALON_TRY(PyValue root, read_torch_save(bytes));
    if (root.kind != PyValue::Kind::kDict) return invalid_input("the saved weights are not a dict");
    Tensors out;
    for (std::size_t i = 0; i < root.items.size(); ++i) {
      const auto* key = std::get_if<std::string>(&root.keys[i]);
      auto* tensor = std::get_if<SavedTensor>(&root.items[i].leaf);
      if (key == nullptr) return invalid_input("a key of the saved weights is not a string");
      if (root.items[i].kind != PyValue::Kind::kLeaf || tensor == nullptr) continue;  // custom objects
      ETALON_TRY(StoredTensor stored_tensor, from_saved(std::move(*tensor)), *key);
      out.insert_or_assign(*key, std::move(stored_tensor));
    }
    return out;
  }

  Result<Tensors> read_config(Bytes text, std::string_view folder) {
    json::Document document;
    ETALON_CHECKED(document.parse(text));
    ETALON_TRY(const object root, json::to_object(document.root(), "config"));
    ETALON_TRY(const object members, json::require_object(root, "config"));
    Tensors out;
    for (const auto member : members) {
      ETALON_TRY(const object fields, json::to_object(member.value, member.key));
      if (!json::find(fields, "tensor_meta")) continue;  // custom objects
      ETALON_TRY(StoredTensor tensor, read_entry(fields, folder), member.key);
      if (!out.emplace(member.key, std::move(tensor)).second) {
        return invalid_input(fmt::format("{} is listed twice", member.key));
      }
    }
    return out;
  }

  Result<StoredTensor> read_entry(object fields, std::string_view folder) {
    ETALON_TRY(const std::string path, json::require_text(fields, "path_name"));
    const auto* entry = zip_.find(fmt::format("{}/{}{}", root_, folder, path));
    if (entry == nullptr)
      return invalid_input(fmt::format("the archive lacks its payload '{}{}'", folder, path));
    ETALON_TRY(const Bytes payload, content(*entry));
    ETALON_TRY(const bool is_param, json::bool_or(fields, "is_param", false));
    ETALON_TRY(const bool use_pickle, json::bool_or(fields, "use_pickle", false));
    if (use_pickle && !payload.empty()) return read_pickled(payload, is_param);
    ETALON_TRY(const element meta_value, json::require(fields, "tensor_meta"));
    ETALON_TRY(const TensorMeta meta, decode_tensor_meta(meta_value));
    StoredTensor out;
    out.dtype = meta.dtype;
    out.is_param = is_param;
    out.requires_grad = meta.requires_grad;
    ETALON_TRY(out.sizes, fixed(meta.sizes));
    ETALON_TRY(out.strides, fixed(meta.strides));
    if (meta.storage_offset.is_symbolic()) return unsupported("a stored tensor has a symbolic offset");
    out.storage_offset = meta.storage_offset.value;
    out.payload = payload;
    ETALON_CHECKED(check_payload(out));
    return out;
  }

  static Result<StoredTensor> read_pickled(Bytes payload, bool is_param) {
    auto read = read_torch_save(payload);
    if (!read.ok() && read.error().code() != ErrorCode::kUnsupported) return read.take_error();
    auto* tensor = read.ok() ? std::get_if<SavedTensor>(&read->leaf) : nullptr;
    if (tensor == nullptr || read->kind != PyValue::Kind::kLeaf) {
      const std::string what = read.ok() ? std::string("not a tensor") : read.error().message();
      return unsupported(
          fmt::format("it is no plain tensor ({}) but a tensor subclass, such as torchao's quantize_() "
                      "makes; quantise with "
                      "prepare_pt2e and convert_pt2e instead, or a float model with --dtype int8",
                      what));
    }
    ETALON_TRY(StoredTensor out, from_saved(std::move(*tensor)));
    out.is_param = is_param;
    return out;
  }

  // Stored entries are spans of the file; inflated ones belong to the model, each is inflated once.
  Result<Bytes> content(const zip::Entry& entry) {
    if (entry.method == 0) return entry.stored;
    const auto known = inflated_.find(&entry);
    if (known != inflated_.end()) return known->second;
    ETALON_TRY(zip::Content out, zip::ZipReader::read(entry, kMaxInflatedPayload));
    owned_.push_back(std::move(out.inflated));
    return inflated_[&entry] = owned_.back();
  }

  const zip::ZipReader& zip_;
  std::string root_;
  std::map<const zip::Entry*, Bytes> inflated_;
  std::vector<std::vector<std::byte>> owned_;
};

}  // namespace

const Model* Archive::find(std::string_view name) const {
  for (const Model& model : models) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

Result<Archive> decode(Bytes file) {
  ETALON_TRY(const zip::ZipReader zip, zip::ZipReader::open(file));
  if (zip.entries().empty()) return invalid_input("the archive is empty");
  if (zip.find("serialized_exported_program.json") != nullptr) {
    return unsupported("the archive was made by torch 2.7 or older: save it again with torch 2.9 or newer");
  }
  const std::string_view first = zip.entries().front().name;
  return ArchiveReader(zip, std::string(first.substr(0, first.find('/')))).read();
}

const StoredTensor* find_stored(const Model& model, const InputSpec& spec) {
  const bool is_weight =
      spec.kind == InputKind::kParameter || (spec.kind == InputKind::kBuffer && spec.persistent);
  const bool is_constant = spec.kind == InputKind::kTensorConstant || spec.kind == InputKind::kBuffer;
  if (!is_weight && !is_constant) return nullptr;
  const Tensors& from = is_weight ? model.weights : model.constants;
  const auto it = from.find(spec.target);
  return it == from.end() ? nullptr : &it->second;
}

Result<std::vector<PyLeaf>> sample_inputs(const Model& model) {
  if (model.sample_inputs_file.empty()) return std::vector<PyLeaf>();
  ETALON_TRY(PyValue value, read_torch_save(model.sample_inputs_file), "sample inputs");
  return flatten(std::move(value));
}

}  // namespace etalon::formats::pt2

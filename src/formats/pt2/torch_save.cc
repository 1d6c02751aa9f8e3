#include "formats/pt2/torch_save.h"

#include "fmt/format.h"
#include "formats/pt2/pickle.h"
#include "formats/zip/zip.h"

namespace etalon::formats::pt2 {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";
// A pickle holds names and shapes, the numbers are beside it: a state dict of 5000 tensors takes about 1 MB.
constexpr std::uint64_t kMaxPickleBytes = std::uint64_t{16} << 20;

const zip::Entry* find_pickle(const zip::ZipReader& zip) {
  for (const zip::Entry& entry : zip.entries()) {
    if (entry.name.ends_with(kPickleName)) return &entry;
  }
  return nullptr;
}

void collect(PyValue& value, std::vector<PyLeaf>& out) {
  if (value.kind == PyValue::Kind::kLeaf) out.push_back(std::move(value.leaf));
  for (PyValue& item : value.items) collect(item, out);
}

}  // namespace

Result<PyValue> read_torch_save(Bytes file) {
  ETALON_TRY(const zip::ZipReader zip, zip::ZipReader::open(file));
  const zip::Entry* const pickle = find_pickle(zip);
  if (pickle == nullptr) return invalid_input("not made by torch.save: there is no data.pkl");
  const std::string_view root = pickle->name.substr(0, pickle->name.size() - kPickleName.size());
  if (pickle->size > kMaxPickleBytes)
    return resource_error(fmt::format("data.pkl has {} bytes", pickle->size));
  ETALON_TRY(const zip::Content text, zip::ZipReader::read(*pickle, kMaxPickleBytes));
  return unpickle(text.bytes, [&](std::string_view key) -> Result<Bytes> {
    const zip::Entry* const storage = zip.find(fmt::format("{}/data/{}", root, key));
    if (storage == nullptr) return invalid_input(fmt::format("the file lacks storage '{}'", key));
    if (storage->method != 0) return unsupported(fmt::format("storage '{}' is compressed", key));
    return storage->stored;
  });
}

std::vector<PyLeaf> flatten(PyValue value) {
  std::vector<PyLeaf> out;
  collect(value, out);
  return out;
}

}  // namespace etalon::formats::pt2

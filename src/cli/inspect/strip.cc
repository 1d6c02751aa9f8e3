#include "cli/inspect/strip.h"

#include <set>

#include "base/file.h"
#include "formats/pt2/pt2.h"
#include "formats/zip/zip.h"
#include "tensor/dtype.h"

namespace etalon::cli {
namespace {

// Payloads that only floating-point weights refer to, by address.
std::set<const std::byte*> payloads_to_drop(const formats::pt2::Archive& archive, StripOutcome& outcome) {
  std::set<const std::byte*> drop;
  std::set<const std::byte*> keep;
  for (const auto& model : archive.models) {
    for (const auto& [name, tensor] : model.weights) {
      ++outcome.tensors;
      const auto dtype = dtype_from_number(tensor.dtype);
      const bool floating = dtype && is_floating(*dtype);
      if (floating && !tensor.payload.empty()) ++outcome.stripped;
      (floating ? drop : keep).insert(tensor.payload.data());
    }
    for (const auto& [name, tensor] : model.constants) keep.insert(tensor.payload.data());
  }
  for (const std::byte* data : keep) drop.erase(data);
  return drop;
}

}  // namespace

Result<StripOutcome> strip_weights(const std::string& from, const std::string& to) {
  ETALON_TRY(const MappedFile file, MappedFile::open(from));
  ETALON_TRY(const formats::pt2::Archive archive, formats::pt2::decode(file.bytes()), from);
  ETALON_TRY(const formats::zip::ZipReader zip, formats::zip::ZipReader::open(file.bytes()), from);
  StripOutcome outcome;
  const std::set<const std::byte*> drop = payloads_to_drop(archive, outcome);
  ETALON_TRY(FileWriter out, FileWriter::create(to));
  formats::zip::ZipWriter writer(out);
  for (const formats::zip::Entry& entry : zip.entries()) {
    if (entry.is_folder()) continue;
    ETALON_TRY(const formats::zip::Content content, formats::zip::ZipReader::read(entry), from);
    const bool dropped = drop.contains(content.bytes.data());
    if (dropped) outcome.removed_bytes += content.bytes.size();
    ETALON_CHECKED(writer.add(entry.name, dropped ? Bytes{} : content.bytes, 64), to);
  }
  ETALON_CHECKED(writer.finish(), to);
  ETALON_CHECKED(out.commit());
  return outcome;
}

}  // namespace etalon::cli

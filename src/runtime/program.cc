#include "runtime/program.h"

#include <fmt/core.h>

#include <set>

namespace etalon::runtime {

Result<Program> Program::from_bytes(Bytes program, Bytes external_data) {
  Program out;
  ETALON_TRY(auto contents, formats::pte::decode(program));
  if (contents.plans.empty()) return invalid_input("the program has no methods");
  out.contents_ = std::make_unique<const formats::pte::Program>(std::move(contents));
  if (!external_data.empty()) {
    ETALON_TRY(auto external, formats::ptd::decode(external_data), "external data");
    out.external_ = std::make_unique<const formats::ptd::FlatTensor>(std::move(external));
    ETALON_CHECKED(out.check_keys());
  }
  return out;
}

Result<Program> Program::load(const ProgramFiles& files) {
  ETALON_TRY(auto program, MappedFile::open(files.program));
  std::vector<MappedFile> mapped;
  mapped.push_back(std::move(program));
  if (!files.external_data.empty()) {
    ETALON_TRY(auto external, MappedFile::open(files.external_data));
    if (external.bytes().empty()) return invalid_input(files.external_data + ": the file is empty");
    mapped.push_back(std::move(external));
  }
  const Bytes external_bytes = mapped.size() > 1 ? mapped[1].bytes() : Bytes{};
  ETALON_TRY(Program out, from_bytes(mapped[0].bytes(), external_bytes), files.program);
  out.files_ = std::move(mapped);
  return out;
}

std::vector<std::string> Program::method_names() const {
  std::vector<std::string> names;
  for (const auto& plan : contents_->plans) names.push_back(plan.name);
  return names;
}

std::optional<Bytes> Program::named_data(std::string_view key) const {
  if (const auto* entry = contents_->find_named(key)) return entry->data;
  if (external_ == nullptr) return std::nullopt;
  const auto* entry = external_->find(key);
  return entry == nullptr ? std::nullopt : std::optional<Bytes>(entry->data);
}

// ExecuTorch refuses a key that both files define, because nobody could say which one is meant.
Status Program::check_keys() const {
  std::set<std::string_view> keys;
  for (const auto& entry : contents_->named_data) keys.insert(entry.key);
  for (const auto& entry : external_->entries) {
    if (keys.contains(entry.key)) {
      return invalid_input(fmt::format("the program and its external data both define '{}'", entry.key));
    }
  }
  return {};
}

}  // namespace etalon::runtime

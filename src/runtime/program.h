// A loaded .pte file: mapped, decoded and checked, with the external data file (.ptd) it may need.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "formats/pte/pte.h"
#include "formats/ptd/ptd.h"

namespace etalon::runtime {

struct ProgramFiles {
  std::string program;        // .pte
  std::string external_data;  // .ptd; empty: none
};

// Immutable after loading, so that several methods and threads may share it. Must outlive its methods; a move keeps
// what they point to. Constants stay in the mapping: loading costs the same for any number of weights.
class Program {
 public:
  // Errors: kNotFound, kIo, kInvalidInput, kUnsupported; they name the file.
  static Result<Program> load(const ProgramFiles& files);
  // From bytes that outlive the program and start at an address aligned to 16.
  static Result<Program> from_bytes(Bytes program, Bytes external_data = {});

  std::vector<std::string> method_names() const;
  const formats::pte::Program& contents() const { return *contents_; }
  const formats::ptd::FlatTensor* external_data() const { return external_.get(); }

  // A blob of the program or of the external data; nothing when no such key exists.
  std::optional<Bytes> named_data(std::string_view key) const;

 private:
  Program() = default;
  Status check_keys() const;

  std::vector<MappedFile> files_;
  std::unique_ptr<const formats::pte::Program> contents_;
  std::unique_ptr<const formats::ptd::FlatTensor> external_;
};

}  // namespace etalon::runtime

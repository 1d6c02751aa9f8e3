// Weights packed once and kept beside a program.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace etalon::cli {

struct PrepackRequest {
  std::string model;  // .pte
  std::string isa;
  std::string math;
  std::string data;  // a .ptd file; empty: none
};

struct PrepackOutcome {
  std::string path;  // <model>.prepacked
  std::string isa;
  std::size_t bytes = 0;
  double packed_ms = 0;  // loading without the file
  double mapped_ms = 0;  // and with it
};

// Errors: those of loading the program and of writing the file.
Result<PrepackOutcome> prepack_program(const PrepackRequest& request);

}  // namespace etalon::cli

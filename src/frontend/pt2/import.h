// torch.export archives -> graphs: functional, made of the registry's operators, with dynamic sizes known twice.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "ir/graph.h"

namespace etalon::frontend {

// One saved example input: dense and contiguous.
struct ExampleInput {
  DType dtype = DType::kFloat32;
  Dims sizes;
  std::vector<std::byte> bytes;
};

struct Imported {
  std::vector<ir::Graph> methods;  // one per model in the archive; the model called "model" is "forward"
  std::vector<std::vector<ExampleInput>> example_inputs;  // per method, in the order of its inputs; may be empty
  bool weightless = false;         // weights were drawn, not stored
  std::string torch_version;
};

struct ImportOptions {};

// Weights are borrowed from `file`, which must outlive the graphs. Errors: those of the decoder, and kUnsupported listing
// every operator without a lowering, with its count and place in the user's source.
Result<Imported> import_pt2(Bytes file, const ImportOptions& options = {});

}  // namespace etalon::frontend

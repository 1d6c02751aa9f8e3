// .pt2 -> graphs: what torch.export.save writes, undecomposed or decomposed, as functional graphs of our
// operators.
//
//   ETALON_TRY(const Imported model, import_pt2(file.bytes()));
//   run(model.methods[0], model.examples[0]);
//
// Weights are borrowed from `file` wherever they are stored as the graph wants them: keep the bytes mapped as
// long as the graphs live. In-place operators are made functional; buffers that the model updates become
// state. Inside a graph everything is contiguous. Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/pt2/pt2.h"
#include "ir/graph.h"

namespace etalon::frontend {

struct ImportOptions {
  bool with_examples = true;  // decode the example inputs, if the archive has any
  // Of one weight or example input: zero strides and weights taken out let a small file ask for any size.
  std::int64_t max_tensor_bytes = std::int64_t{1} << 33;
};

// An input as the graph's input of the same position wants it: dense, in that dim order.
struct ExampleInput {
  DType dtype = DType::kFloat32;
  Dims sizes;
  DimOrder order;
  std::vector<std::byte> data;
};

struct Imported {
  std::vector<ir::Graph> methods;  // one per model of the archive; "model" is called "forward"
  std::vector<std::vector<ExampleInput>> examples;  // per method; empty where the archive has none
  bool weightless = false;                          // weights were drawn from their names
  std::string torch_version;
};

// Errors: kInvalidInput (damaged), kUnsupported (layout of old torch, dims without bounds, operators: all
// listed at once).
Result<Imported> import_pt2(Bytes file, const ImportOptions& options = {});

// One decoded model. `file` is what it was decoded from.
Result<ir::Graph> import_model(const formats::pt2::Model& model, Bytes file, const ImportOptions& options = {});

}  // namespace etalon::frontend

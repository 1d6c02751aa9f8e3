// XNNGraph -> Graph for given sizes of the inputs. fp16 becomes float32, converted where arguments come and
// go, unless quantised values meet it. Proves everything that later steps rely on: every node reads values
// that exist by then, sizes fit, constants have as many bytes as their sizes say and are aligned.
#pragma once

#include <span>

#include "backends/native/graph.h"
#include "backends/native/widening.h"
#include "base/result.h"

namespace etalon::native {

using NamedData = reference::ConstantLookup;

// An argument of the delegate call: its physical sizes, and its bytes if they never change.
struct ExternalInput {
  Dims dims;
  Bytes constant;
};

// `inputs` is indexed by argument. Every value has at least one element and at most
// `value_limit` bytes. Errors: kInvalidInput, kUnsupported, kResource, kNotFound (data with a key nobody
// has). The graph may refer to what `widened` holds.
Result<Graph> import_graph(const xnn::Graph& source, const NamedData& named_data,
                           std::span<const ExternalInput> inputs, std::uint64_t value_limit,
                           WidenedConstants& widened);

}  // namespace etalon::native

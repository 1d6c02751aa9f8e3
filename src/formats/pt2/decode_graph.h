// JSON -> graphs, arguments, tensor metadata. Private to formats/pt2.
#pragma once

#include "base/result.h"
#include "formats/json_reading.h"
#include "formats/pt2/pt2.h"

namespace etalon::formats::pt2 {

Result<Argument> decode_argument(json::element value);
Result<TensorMeta> decode_tensor_meta(json::element value);
Result<SymInt> decode_sym_int(json::element value);
Result<Graph> decode_graph(json::element value);

}  // namespace etalon::formats::pt2

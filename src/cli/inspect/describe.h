// What is inside a file, as JSON: one function per format. `etalon inspect` prints it, as it is or for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/detect.h"

namespace etalon::cli {

using Json = nlohmann::ordered_json;

Result<Json> describe_pte(Bytes file);
Result<Json> describe_pt2(Bytes file);
Result<Json> describe_etdump(Bytes file);
Result<Json> describe_etrecord(Bytes file);
Result<Json> describe_bpte(Bytes file);
Result<Json> describe_ptd(Bytes file);
Result<Json> describe_npy(Bytes file);

// By content. kInvalidInput for a kind that is not known; kUnsupported for ONNX.
Result<Json> describe_file(Bytes file);

// "f32[1, 3, 224, 224]", with "<=" where the sizes are upper bounds and the order where it is not the usual one.
std::string tensor_text(std::int8_t dtype, const std::vector<std::int64_t>& sizes, bool bounded = false);

// Objects as "key: value" lines, lists of objects as one line each.
std::string to_people(const Json& json, int indent = 0);

// The places where two descriptions differ: "path: a -> b" lines.
std::vector<std::string> differences(const Json& a, const Json& b);

}  // namespace etalon::cli

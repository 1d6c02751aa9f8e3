// Reads files made by torch.save without running anything: a fixed small set of pickle opcodes and
// constructors (dict, OrderedDict, list, tuple, tensors, parameters, numbers, strings); anything else is
// refused by name.
//
// Total on any input. Tensor bytes are spans into the bytes handed in, which must outlive the result.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon::formats::pt2 {

// Element i0,i1,.. is at storage_offset + sum(i * stride), in elements, of `storage`; proved to fit.
struct SavedTensor {
  std::int8_t dtype = -1;  // c10 number
  bool is_param = false;
  bool requires_grad = false;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  std::int64_t storage_offset = 0;
  Bytes storage;
};

struct PyNone {};
using PyLeaf = std::variant<PyNone, bool, std::int64_t, double, std::string, SavedTensor>;

// A tree of containers with leaves. Lists and tuples use `items`; dicts use `keys` (same length) and `items`.
struct PyValue {
  enum class Kind : std::uint8_t { kLeaf, kList, kTuple, kDict };
  Kind kind = Kind::kLeaf;
  PyLeaf leaf;
  std::vector<PyLeaf> keys;
  std::vector<PyValue> items;
};

// Errors: kInvalidInput (damaged), kUnsupported (objects outside the set; the message names the constructor),
// kResource.
Result<PyValue> read_torch_save(Bytes file);

// Leaves from left to right, dicts in insertion order.
std::vector<PyLeaf> flatten(PyValue value);

}  // namespace etalon::formats::pt2

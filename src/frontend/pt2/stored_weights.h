// Stored tensors of an archive as constants of a graph: borrowed where they lie as the graph wants them, else
// copied.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pt2/pt2.h"
#include "ir/graph.h"

namespace etalon::frontend {

// What makes two stored tensors the same tensor (tied weights).
struct StorageKey {
  const std::byte* payload = nullptr;
  std::int64_t offset = 0;
  std::int8_t dtype = 0;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  std::string name;  // only where there is no payload to compare
  friend auto operator<=>(const StorageKey&, const StorageKey&) = default;
};
StorageKey key_of(const formats::pt2::StoredTensor& tensor, std::string_view name);

class StoredWeights {
 public:
  // `file` is what the model was decoded from; payloads outside of it (inflated ones) are copied. `max_bytes`
  // limits one tensor.
  StoredWeights(const formats::pt2::Model& model, Bytes file, std::int64_t max_bytes);

  // Errors: kUnsupported (a dtype that is not computed with), kInvalidInput, kResource, naming the tensor.
  Result<ir::Constant> constant(const formats::pt2::StoredTensor& tensor, const std::string& name) const;

 private:
  // The name whose values a missing tensor takes: the first of those that share its payload.
  std::string_view drawn_name(const formats::pt2::StoredTensor& tensor, const std::string& name) const;

  Bytes file_;
  std::int64_t max_bytes_;
  std::map<const std::byte*, std::string_view> first_names_;
};

// kResource if a tensor would need more than `max_bytes`.
Status check_tensor_size(std::string_view name, const Dims& sizes, DType dtype, std::int64_t max_bytes);

// The elements of a strided tensor in the order of `sizes`' dims given by `order` (row-major when
// contiguous).
std::vector<std::byte> gather_elements(Bytes payload, std::int64_t offset, const Dims& sizes,
                                       const Dims& strides, const DimOrder& order, std::size_t element_size);

}  // namespace etalon::frontend

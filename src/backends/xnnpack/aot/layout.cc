#include "backends/xnnpack/aot/layout.h"

#include <vector>

namespace etalon::xnnpack {
namespace {

std::vector<std::size_t> dims_in_memory(const Shape& shape, const DimOrder& order) {
  std::vector<std::size_t> out;
  for (const std::uint8_t dim : order) {
    if (!shape.is_one(dim)) out.push_back(dim);
  }
  return out;
}

// Dims of one shape that together hold the same elements as dims of another. Dims of size one belong to none.
struct Group {
  std::vector<std::size_t> from;
  std::vector<std::size_t> to;
};

struct Product {
  std::int64_t sizes = 1;
  std::int64_t probe = 1;
  void add(const Shape& shape, std::size_t dim) {
    sizes *= shape.sizes[dim];
    probe *= shape.probe[dim];
  }
  friend bool operator==(const Product&, const Product&) = default;
};

std::optional<std::vector<Group>> matching_groups(const Shape& from, const Shape& to) {
  const std::vector<std::size_t> a = dims_in_memory(from, contiguous_order(from.rank()));
  const std::vector<std::size_t> b = dims_in_memory(to, contiguous_order(to.rank()));
  std::vector<Group> groups;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    Group group;
    Product of_a;
    Product of_b;
    while (group.from.empty() || !(of_a == of_b)) {
      const bool take_from = group.from.empty() || (!group.to.empty() && of_a.sizes <= of_b.sizes);
      if (take_from) {
        if (i == a.size()) return std::nullopt;
        of_a.add(from, a[i]);
        group.from.push_back(a[i++]);
      } else {
        if (j == b.size()) return std::nullopt;
        of_b.add(to, b[j]);
        group.to.push_back(b[j++]);
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

std::size_t Shape::dynamic_count() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < rank(); ++i) count += is_dynamic(i) ? 1 : 0;
  return count;
}

Shape static_shape(std::initializer_list<std::int64_t> sizes) { return {Dims(sizes), Dims(sizes)}; }

Shape permuted(const Shape& shape, const DimOrder& order) {
  Shape out;
  for (const std::uint8_t dim : order) out.push_back(shape.sizes[dim], shape.probe[dim]);
  return out;
}

std::size_t position_of(const DimOrder& order, std::size_t dim) {
  std::size_t at = 0;
  while (order[at] != dim) ++at;
  return at;
}

bool same_places(const Shape& shape, const DimOrder& a, const DimOrder& b) {
  return dims_in_memory(shape, a) == dims_in_memory(shape, b);
}

std::optional<DimOrder> order_through_view(const Shape& from, const DimOrder& order, const Shape& to) {
  if (same_places(from, order, contiguous_order(from.rank()))) return contiguous_order(to.rank());
  const auto groups = matching_groups(from, to);
  if (!groups) return std::nullopt;
  const std::vector<std::size_t> memory = dims_in_memory(from, order);
  std::vector<std::uint8_t> out;
  for (std::size_t at = 0; at < memory.size();) {
    const Group* group = nullptr;
    for (const Group& candidate : *groups) {
      if (candidate.from.front() == memory[at]) group = &candidate;
    }
    if (group == nullptr || at + group->from.size() > memory.size()) return std::nullopt;
    for (const std::size_t dim : group->from) {
      if (memory[at++] != dim) return std::nullopt;
    }
    for (const std::size_t dim : group->to) out.push_back(static_cast<std::uint8_t>(dim));
  }
  // Dims of size one stand behind the dim before them.
  for (std::size_t dim = 0; dim < to.rank(); ++dim) {
    if (!to.is_one(dim)) continue;
    auto place = out.begin();
    if (dim > 0) {
      while (*place != dim - 1) ++place;
      ++place;
    }
    out.insert(place, static_cast<std::uint8_t>(dim));
  }
  return DimOrder(std::span<const std::uint8_t>(out));
}

DimOrder order_through_permute(const DimOrder& order, const DimOrder& dims) {
  DimOrder out;
  for (const std::uint8_t dim : order) out.push_back(static_cast<std::uint8_t>(position_of(dims, dim)));
  return out;
}

DimOrder order_without(const DimOrder& order, std::size_t dim) {
  DimOrder out;
  for (const std::uint8_t d : order) {
    if (d != dim) out.push_back(static_cast<std::uint8_t>(d > dim ? d - 1 : d));
  }
  return out;
}

}  // namespace etalon::xnnpack

// PayloadBuilder's part for constants: floats, and integers with their scales.
#include <fmt/core.h>

#include <cstring>
#include <span>

#include "backends/xnnpack/aot/dense_walk.h"
#include "backends/xnnpack/aot/payload_builder.h"
#include "base/sha256.h"
#include "ir/builder.h"
#include "ir/frame.h"
#include "ops/dispatch.h"

namespace etalon::xnnpack {
namespace {

template <class T>
ir::Data data_of(const std::vector<T>& numbers) {
  const Bytes bytes = std::as_bytes(std::span(numbers));
  return ir::Data::owned({bytes.begin(), bytes.end()});
}

}  // namespace

std::vector<double> elements_of(const ir::Constant& constant) {
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(numel(constant.type.sizes)));
  for_each_place(constant.type.sizes, constant.type.order, contiguous_order(constant.type.sizes.size()),
                 [&](std::size_t place) { out.push_back(ir::element_as_double(constant, place)); });
  return out;
}

ir::Data in_order(const ir::Constant& constant, const DimOrder& order) {
  if (same_places(shape_of(constant.type), constant.type.order, order)) return constant.data;
  const std::size_t size = size_of(constant.type.dtype);
  const Bytes from = constant.data.bytes();
  std::vector<std::byte> out(from.size());
  std::byte* to = out.data();
  for_each_place(constant.type.sizes, constant.type.order, order, [&](std::size_t place) {
    std::memcpy(to, from.data() + place * size, size);
    to += size;
  });
  return ir::Data::owned(std::move(out));
}

const ir::Constant* PayloadBuilder::constant_of(ValueId id) {
  if (is_own(id)) return nullptr;
  if (const ir::Constant* constant = fixed_constant(graph_, id)) return constant;
  const ir::Node* node = weight_node(graph_, id);
  if (node == nullptr) return nullptr;
  if (const auto found = floats_.find(id); found != floats_.end()) return &found->second;
  auto made = ir::evaluate(graph_, *node);
  if (!made.ok()) return nullptr;
  return &floats_.emplace(id, std::move(made->front())).first->second;
}

std::uint32_t PayloadBuilder::data(ir::Data data, std::string key) {
  const auto [known, is_new] =
      keys_.emplace(key, static_cast<std::uint32_t>(payload_.graph.constants.size()));
  if (is_new) {
    payload_.graph.constants.push_back({key, {}, data.bytes().size()});
    payload_.named_data.push_back({std::move(key), std::move(data)});
  }
  return known->second;
}

std::uint32_t PayloadBuilder::typed_constant(ir::Data data, const Dims& dims, xnn::DataType type,
                                             xnn::Quantization quantisation, const std::string& identity) {
  std::string key = sha256_hex(data.bytes());
  const Dims shape = at_least_one_dim(dims);
  const auto [found, is_new] = constants_.emplace(std::pair(key, to_string(shape) + identity), 0);
  if (!is_new) return found->second;
  found->second = add_value(shape, DType::kFloat32);
  xnn::Value& value = payload_.graph.values[found->second];
  value.type = type;
  value.quantization = std::move(quantisation);
  value.constant = this->data(std::move(data), std::move(key));
  return found->second;
}

std::uint32_t PayloadBuilder::constant(ir::Data data, const Dims& dims, Storage storage) {
  const std::string identity =
      fmt::format("{} {} {}", short_name_of(storage.dtype), storage.affine.scale, storage.affine.zero_point);
  return typed_constant(std::move(data), dims, data_type_of(storage.dtype), quantisation_of(storage),
                        identity);
}

std::uint32_t PayloadBuilder::constant(const std::vector<double>& values, const Dims& dims, DType dtype) {
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  (void)ops::visit_dtype(dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T element = ops::Scalar(values[i]).as<T>();
      std::memcpy(bytes.data() + i * sizeof(T), &element, sizeof(T));
    }
    return {};
  });
  return constant(ir::Data::owned(std::move(bytes)), dims, dtype);
}

Rep PayloadBuilder::constant_rep(ValueId id, const DimOrder& order) {
  const ir::Constant& source = *constant_of(id);
  const Shape dims = permuted(shape_of(source.type), order);
  // Numbers of other types stand where a float tensor meets an integer literal.
  const bool is_stored =
      source.type.dtype == DType::kFloat32 || source.type.dtype == DType::kFloat16 || affines_.contains(id);
  Rep rep{0, order, dims};
  if (is_stored) {
    rep.id = constant(in_order(source, order), dims.sizes, storage(id));
  } else {
    std::vector<double> values;
    for_each_place(source.type.sizes, source.type.order, order,
                   [&](std::size_t place) { values.push_back(ir::element_as_double(source, place)); });
    rep.id = constant(values, dims.sizes, DType::kFloat32);
  }
  define(id, rep);
  return rep;
}

std::uint32_t PayloadBuilder::integers(ir::Data numbers, const Dims& dims, DType dtype,
                                       const Scales& scales) {
  const bool is_bias = dtype == DType::kInt32;
  if (!scales.dim) {
    return typed_constant(std::move(numbers), dims, is_bias ? xnn::DataType::kQint32 : xnn::DataType::kQint8,
                          xnn::PerTensorQuant{scales.values[0], 0},
                          fmt::format("{} {}", short_name_of(dtype), scales.values[0]));
  }
  ir::Data scale_data = data_of(scales.values);
  std::string key = "scale_" + sha256_hex(scale_data.bytes());
  const std::string identity = fmt::format("{} {} {}", short_name_of(dtype), *scales.dim, key);
  xnn::PerChannelQuant quantisation;
  quantisation.channel_dim = static_cast<std::int32_t>(*scales.dim);
  quantisation.num_scales = static_cast<std::uint32_t>(scales.values.size());
  quantisation.scale_constant = data(std::move(scale_data), std::move(key));
  return typed_constant(std::move(numbers), dims, is_bias ? xnn::DataType::kQcint32 : xnn::DataType::kQcint8,
                        std::move(quantisation), identity);
}

std::uint32_t PayloadBuilder::constant(const std::vector<std::int8_t>& numbers, const Dims& dims,
                                       const Scales& scales) {
  return integers(data_of(numbers), dims, DType::kInt8, scales);
}

std::uint32_t PayloadBuilder::constant(const std::vector<std::int32_t>& numbers, const Dims& dims,
                                       const Scales& scales) {
  return integers(data_of(numbers), dims, DType::kInt32, scales);
}

}  // namespace etalon::xnnpack

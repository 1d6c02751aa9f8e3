// Elements of any data type as floats, one at a time. Private to native/reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/native/reference/reference.h"
#include "base/checked.h"
#include "tensor/half.h"

namespace etalon::native::reference {

using formats::xnn::DataType;

// Constants lie where their file put them, so nothing is assumed about alignment.
template <class T>
T load(const std::byte* data, std::int64_t index) {
  T out;
  std::memcpy(&out, data + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return out;
}

template <class T>
void store(std::byte* data, std::int64_t index, T value) {
  std::memcpy(data + index * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
}

// How one row of a qdint8 tensor is scaled.
struct RowScale {
  float scale = 1;
  std::int32_t zero_point = 0;
};

inline std::int64_t row_length(const TensorType& type) {
  std::int64_t out = 1;
  const std::size_t rank = type.dims.size();
  for (std::size_t i = rank - type.quantisation.nonbatch_dims; i < rank; ++i) out *= type.dims[i];
  return out;
}

inline std::byte* row_scales(const TensorRef& tensor) {
  return tensor.data + round_up<std::int64_t>(numel(tensor.type->dims), 16);
}

// Scale number `index` of a tensor that has one per channel or per group.
inline float listed_scale(const Quantisation& quantisation, std::int64_t index) {
  if (quantisation.scales_are_bf16) {
    BFloat16 out;
    out.bits = load<std::uint16_t>(quantisation.scales.data(), index);
    return static_cast<float>(out);
  }
  return load<float>(quantisation.scales.data(), index);
}

// The number at `column` of a row of 4-bit numbers: even columns are low halves, 8 is zero.
inline std::int32_t load_nibble(const std::byte* row, std::int64_t column) {
  const auto both = static_cast<std::uint8_t>(row[column / 2]);
  return (column % 2 == 0 ? both & 15 : both >> 4) - 8;
}

inline bool is_float(DataType type) {
  return type == DataType::kFp32 || type == DataType::kFp16 || type == DataType::kBf16;
}
inline bool is_static_int8(DataType type) { return type == DataType::kQint8 || type == DataType::kQuint8; }

// The stored number of a qint8 or quint8 element, without scale and zero point.
inline std::int32_t load_int8(const TensorRef& tensor, std::int64_t i) {
  return tensor.type->type == DataType::kQuint8 ? load<std::uint8_t>(tensor.data, i)
                                                : load<std::int8_t>(tensor.data, i);
}

class Reader {
 public:
  explicit Reader(const TensorRef& tensor)
      : data_(tensor.data),
        type_(tensor.type->type),
        scale_(tensor.type->quantisation.scale),
        zero_point_(tensor.type->quantisation.zero_point),
        quantisation_(&tensor.type->quantisation) {
    if (type_ == DataType::kQdint8) {
      inner_ = std::max<std::int64_t>(row_length(*tensor.type), 1);
      rows_ = row_scales(tensor);
    } else if (type_ == DataType::kQcint8) {
      for (std::size_t i = quantisation_->channel_dim + 1; i < tensor.type->dims.size(); ++i) {
        inner_ *= tensor.type->dims[i];
      }
      inner_ = std::max<std::int64_t>(inner_, 1);
      channels_ = tensor.type->dims[quantisation_->channel_dim];
    }
  }

  float operator()(std::int64_t i) const {
    switch (type_) {
      case DataType::kFp32:
        return load<float>(data_, i);
      case DataType::kFp16:
        return static_cast<float>(load<Half>(data_, i));
      case DataType::kBf16:
        return static_cast<float>(load<BFloat16>(data_, i));
      case DataType::kQint8:
        return scale_ * static_cast<float>(load<std::int8_t>(data_, i) - zero_point_);
      case DataType::kQuint8:
        return scale_ * static_cast<float>(load<std::uint8_t>(data_, i) - zero_point_);
      case DataType::kQcint8:
        return listed_scale(*quantisation_, i / inner_ % channels_) *
               static_cast<float>(load<std::int8_t>(data_, i));
      case DataType::kQdint8: {
        const auto row = load<RowScale>(rows_, i / inner_);
        return row.scale * static_cast<float>(load<std::int8_t>(data_, i) - row.zero_point);
      }
      default:
        return static_cast<float>(load<std::int32_t>(data_, i));
    }
  }

 private:
  const std::byte* data_;
  DataType type_;
  float scale_;
  std::int32_t zero_point_;
  const Quantisation* quantisation_;
  std::int64_t inner_ = 1;  // elements that share a scale and follow each other
  std::int64_t channels_ = 1;
  const std::byte* rows_ = nullptr;
};

// What a real number becomes as the stored one, within the limits of its type.
inline IntegerRange range_of(DataType type) {
  return type == DataType::kQuint8 ? IntegerRange{0, 255} : IntegerRange{-128, 127};
}

// Rounds half to even, as the vector instructions do; NaN becomes the smallest.
inline std::int32_t round_into(float value, IntegerRange range) {
  const float low = static_cast<float>(range.low), high = static_cast<float>(range.high);
  if (!(value > low)) return range.low;
  return static_cast<std::int32_t>(std::lrint(std::min(value, high)));
}

// What is rounded, and so where halves go, differs: conversions of floats round the quotient and add the zero
// point, everything that computes with reals rounds the sum of both.
inline std::int32_t quantise(float real, float inverse_scale, std::int32_t zero_point, IntegerRange range) {
  return round_into(real * inverse_scale, {range.low - zero_point, range.high - zero_point}) + zero_point;
}
inline std::int32_t quantise_sum(float real, float scale, std::int32_t zero_point, IntegerRange range) {
  return round_into(real / scale + static_cast<float>(zero_point), range);
}

// The stored numbers that output_min and output_max allow.
inline IntegerRange clamped_range(const TensorType& type, float min, float max) {
  const Quantisation& q = type.quantisation;
  const IntegerRange whole = range_of(type.type);
  return {quantise_sum(min, q.scale, q.zero_point, whole), quantise_sum(max, q.scale, q.zero_point, whole)};
}

class Writer {
 public:
  explicit Writer(const TensorRef& tensor, float min = -std::numeric_limits<float>::infinity(),
                  float max = std::numeric_limits<float>::infinity())
      : data_(tensor.data), type_(tensor.type->type), min_(min), max_(max) {
    if (!is_static_int8(type_)) return;
    scale_ = tensor.type->quantisation.scale;
    zero_point_ = tensor.type->quantisation.zero_point;
    range_ = clamped_range(*tensor.type, min, max);
  }

  void operator()(std::int64_t i, float value) const {
    if (is_static_int8(type_)) return store_integer(i, quantise_sum(value, scale_, zero_point_, range_));
    const float clamped = value < min_ ? min_ : value > max_ ? max_ : value;  // keeps NaN
    switch (type_) {
      case DataType::kFp32:
        return store(data_, i, clamped);
      case DataType::kFp16:
        return store(data_, i, Half(clamped));
      case DataType::kBf16:
        return store(data_, i, BFloat16(clamped));
      default:
        return store(data_, i, to_int32(clamped));
    }
  }

  // Of an 8-bit type, within range().
  void store_integer(std::int64_t i, std::int32_t value) const { data_[i] = static_cast<std::byte>(value); }
  IntegerRange range() const { return range_; }
  std::int32_t zero_point() const { return zero_point_; }

 private:
  static std::int32_t to_int32(float value) {
    if (!(value > -0x1p31f)) return std::numeric_limits<std::int32_t>::min();
    if (value >= 0x1p31f) return std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>(std::lrint(value));
  }

  std::byte* data_;
  DataType type_;
  float min_, max_;
  float scale_ = 1;
  std::int32_t zero_point_ = 0;
  IntegerRange range_;
};

}  // namespace etalon::native::reference

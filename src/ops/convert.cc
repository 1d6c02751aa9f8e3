#include "ops/convert.h"

#include <cstring>

#include "base/result.h"
#include "ops/dispatch.h"

namespace etalon::ops {
namespace {

template <class From, class To>
void convert_dense(const void* src, void* dst, std::int64_t count) {
  // Bytes of a bool tensor from outside may hold more than 0 and 1.
  using Stored = std::conditional_t<std::is_same_v<From, bool>, std::uint8_t, From>;
  const auto* x = static_cast<const Stored*>(src);
  auto* y = static_cast<To*>(dst);
  ETALON_INDEPENDENT_LOOP
  for (std::int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<From, bool>) {
      y[i] = convert_element<To>(static_cast<std::uint8_t>(x[i] != 0));
    } else {
      y[i] = convert_element<To>(x[i]);
    }
  }
}

template <class T>
void gather_typed(const void* src, std::int64_t stride, void* dst, std::int64_t count) {
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<T*>(dst);
  if (stride == 0) {
    const T value = *x;
    for (std::int64_t i = 0; i < count; ++i) y[i] = value;
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i * stride];
}

template <class T>
void scatter_typed(const void* src, void* dst, std::int64_t stride, std::int64_t count) {
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<T*>(dst);
  for (std::int64_t i = 0; i < count; ++i) y[i * stride] = x[i];
}

}  // namespace

void convert_run(DType from, const void* src, DType to, void* dst, std::int64_t count) {
  if (from == to && from != DType::kBool) {
    std::memmove(dst, src, static_cast<std::size_t>(count) * size_of(from));
    return;
  }
  const auto status = visit_dtype(from, [&](auto from_tag) {
    return visit_dtype(to, [&](auto to_tag) -> Status {
      convert_dense<typename decltype(from_tag)::type, typename decltype(to_tag)::type>(src, dst, count);
      return {};
    });
  });
  ETALON_CHECK(status.ok());
}

void gather_run(const void* src, std::int64_t stride, std::size_t element_size, void* dst,
                std::int64_t count) {
  if (stride == 1) {
    std::memcpy(dst, src, static_cast<std::size_t>(count) * element_size);
    return;
  }
  switch (element_size) {
    case 1:
      return gather_typed<std::uint8_t>(src, stride, dst, count);
    case 2:
      return gather_typed<std::uint16_t>(src, stride, dst, count);
    case 4:
      return gather_typed<std::uint32_t>(src, stride, dst, count);
    default:
      return gather_typed<std::uint64_t>(src, stride, dst, count);
  }
}

void scatter_run(const void* src, void* dst, std::int64_t stride, std::size_t element_size,
                 std::int64_t count) {
  if (stride == 1) {
    std::memcpy(dst, src, static_cast<std::size_t>(count) * element_size);
    return;
  }
  switch (element_size) {
    case 1:
      return scatter_typed<std::uint8_t>(src, dst, stride, count);
    case 2:
      return scatter_typed<std::uint16_t>(src, dst, stride, count);
    case 4:
      return scatter_typed<std::uint32_t>(src, dst, stride, count);
    default:
      return scatter_typed<std::uint64_t>(src, dst, stride, count);
  }
}

}  // namespace etalon::ops

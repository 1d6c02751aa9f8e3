#include "kernels/vector/vector.h"

#include "kernels/vector/tables.h"

namespace etalon::kernels {

std::string_view name_of(Unary op) {
  switch (op) {
#define UNARY(enumerator, name) \
  case Unary::enumerator: return name;
#include "kernels/vector/unary.def"
#undef UNARY
  }
  return "";
}

std::string_view name_of(Binary op) {
  switch (op) {
#define BINARY(enumerator, name) \
  case Binary::enumerator: return name;
#include "kernels/vector/binary.def"
#undef BINARY
  }
  return "";
}

const VectorKernels& vector_kernels(Isa cap) {
#if defined(__x86_64__)
  if (is_within(Isa::kAvx512, cap)) return kVectorAvx512;
  if (is_within(Isa::kAvx2, cap)) return kVectorAvx2;
#endif
#if defined(__aarch64__)
  if (is_within(Isa::kNeon, cap)) return kVectorNeon;
#endif
  (void)cap;
  return kVectorScalar;
}

}  // namespace etalon::kernels

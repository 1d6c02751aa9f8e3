#include "kernels/qs8_vector/bytes_avx2.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/product_avxvnni_impl.h"
#include "kernels/qs8_conv2d/tile_avx2_impl.h"

namespace etalon::kernels {
namespace {

struct TilesAvxVnni : Tiles256<Vnni256, 6> {
  static void translate(std::int8_t* data, std::int64_t n, const std::uint8_t* table) {
    translate_bytes(data, data, static_cast<std::size_t>(n), table);
  }
};

}  // namespace

extern constinit const Qs8Conv2dAlgorithm kQs8DenseAvxVnni =
    dense<TilesAvxVnni>(Isa::kAvxVnni, "qs8_qc8w_igemm_minmax_fp32_ukernel_6x16c4__avxvnni", "6x16c4");

}  // namespace etalon::kernels

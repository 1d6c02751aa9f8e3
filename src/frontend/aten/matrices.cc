// Matrices put together or taken apart: products of several, powers, Kronecker products, norms, triangles'
// indices.
#include <fmt/core.h>

#include <cmath>
#include <numbers>

#include "frontend/aten/matmul.h"
#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

ValueIds multi_dot(Lowering& lo, const Args& a) {
  const ValueIds& parts = a.tensors(0);
  if (parts.size() < 2) refuse_input("a product wants at least two factors");
  ValueId product = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) product = matmul_of(lo, product, parts[i]);
  return {product};
}

ValueIds matrix_power(Lowering& lo, const Args& a) {
  constexpr std::int64_t kMaxPower = 1 << 16;
  std::int64_t left = a.integer(1);
  if (left < 1 || left > kMaxPower) refuse(fmt::format("power {} of a matrix is not supported", left));
  ValueId square = a.tensor(0);
  ValueId product = ir::kNoValue;
  while (true) {
    if (left % 2 != 0) product = product == ir::kNoValue ? square : matmul_of(lo, product, square);
    left /= 2;
    if (left == 0) return {product};
    square = matmul_of(lo, square, square);
  }
}

// x [a, 1, b, 1] * y [1, c, 1, d] -> [a * c, b * d]
ValueIds kron(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0), y = a.tensor(1);
  while (lo.rank(x) < lo.rank(y)) x = lo.unsqueeze(x, 0);
  while (lo.rank(y) < lo.rank(x)) y = lo.unsqueeze(y, 0);
  const std::size_t rank = lo.rank(x);
  Sizes out;
  for (std::size_t i = 0; i < rank; ++i)
    out.push_back(SizeOf::literal(lo.static_size(x, i) * lo.static_size(y, i)));
  for (std::size_t i = 0; i < rank; ++i) {
    x = lo.unsqueeze(x, static_cast<std::int64_t>(2 * i + 1));
    y = lo.unsqueeze(y, static_cast<std::int64_t>(2 * i));
  }
  return {lo.reshape(lo.mul(x, y), out)};
}

ValueIds diagflat(Lowering& lo, const Args& a) {
  return {lo.aten("aten::diag_embed", lo.reshape(a.tensor(0), {SizeOf::literal(-1)}), a[1])};
}

// Each block padded to the full width, then all below each other.
ValueIds block_diag(Lowering& lo, const Args& a) {
  ValueIds blocks;
  std::int64_t width = 0;
  for (ValueId block : a.tensors(0)) {
    while (lo.rank(block) < 2) block = lo.unsqueeze(block, 0);
    blocks.push_back(block);
    width += lo.static_size(block, 1);
  }
  if (blocks.empty()) refuse_input("no blocks are given");
  std::int64_t left = 0;
  for (ValueId& block : blocks) {
    const std::int64_t own = lo.static_size(block, 1);
    block = lo.op("aten::constant_pad_nd", block, Ints{left, width - left - own}, 0);
    left += own;
  }
  return {lo.cat(blocks, 0)};
}

template <bool kLower>
ValueIds triangle_indices(Lowering& lo, const Args& a) {
  const std::int64_t rows = a.integer(0), columns = a.integer(1), offset = a.integer(2);
  constexpr std::int64_t kMaxSide = 1 << 12;
  if (rows < 0 || columns < 0 || rows > kMaxSide || columns > kMaxSide)
    refuse(fmt::format("the triangle of a matrix of {} by {} is not supported", rows, columns));
  Ints at_rows, at_columns;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      if (kLower ? c - r > offset : c - r < offset) continue;
      at_rows.push_back(r);
      at_columns.push_back(c);
    }
  }
  const auto count = static_cast<std::int64_t>(at_rows.size());
  at_rows.insert(at_rows.end(), at_columns.begin(), at_columns.end());
  return {lo.constant(at_rows, Dims{2, count}, a.dtype_or(3, DType::kInt64))};
}

ValueIds cartesian_prod(Lowering& lo, const Args& a) {
  if (a.tensors(0).size() == 1) return {a.tensors(0)[0]};
  const ValueIds grids = lo.aten_all("aten::meshgrid.indexing", a.tensors(0), "ij");
  ValueIds columns;
  for (const ValueId grid : grids) columns.push_back(lo.reshape(grid, {SizeOf::literal(-1)}));
  return {lo.op("aten::stack", columns, 1)};
}

ValueIds matrix_norm(Lowering& lo, const Args& a) {
  if (a.text(1) != "fro") refuse(fmt::format("the matrix norm '{}' is not supported", a.text(1)));
  return {lo.aten("aten::linalg_vector_norm", a[0], 2.0, a[2], a[3], a[4])};
}

// Without an order it is the vector norm of everything named; with one, only over one dim.
ValueIds linalg_norm(Lowering& lo, const Args& a) {
  const std::size_t dims = a.has(2) ? a.items(2).size() : lo.rank(a.tensor(0));
  if (a.has(1) && dims != 1) refuse("a matrix norm with an order is not supported");
  return {lo.aten("aten::linalg_vector_norm", a[0], a.number_or(1, 2), a[2], a[3], a[4])};
}

// Rows (slices along dim) longer than the limit are shortened to it.
ValueIds renorm(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::size_t dim = lo.dim(x, a.integer(2));
  Ints others;
  for (std::size_t i = 0; i < lo.rank(x); ++i) {
    if (i != dim) others.push_back(static_cast<std::int64_t>(i));
  }
  const ValueId length = lo.aten("aten::linalg_vector_norm", x, a.number(1), others, true);
  const ValueId factor =
      lo.op("aten::mul.Scalar", lo.op("aten::reciprocal", lo.add(length, 1e-7)), a.number(3));
  const ValueId one = lo.scalar(1, lo.dtype(x));
  return {lo.mul(x, lo.where(lo.op("aten::gt.Scalar", length, a.number(3)), factor, one))};
}

ValueIds trapezoid_parts(Lowering& lo, const Args& a) {
  const ValueId y = a.tensor(0);
  const std::size_t dim = lo.dim(y, a.integer(2));
  const auto along = static_cast<std::int64_t>(dim);
  const std::int64_t size = lo.static_size(y, dim);
  const ValueId pairs = lo.add(lo.slice(y, along, 0, size - 1), lo.slice(y, along, 1, size));
  return {lo.op("aten::mul.Scalar", pairs, a.number(1) / 2)};
}
ValueIds trapezoid(Lowering& lo, const Args& a) {
  return {lo.op("aten::sum.dim_IntList", trapezoid_parts(lo, a)[0], Ints{a.integer(2)})};
}
ValueIds cumulative_trapezoid(Lowering& lo, const Args& a) {
  return {lo.op("aten::cumsum", trapezoid_parts(lo, a)[0], a[2])};
}

// a - b * cos over a period (or up to its end, if the window is not periodic)
ValueId window(Lowering& lo, std::int64_t length, bool periodic, double a, double b, DType dtype) {
  constexpr std::int64_t kMaxLength = 1 << 20;
  if (length < 0 || length > kMaxLength) refuse(fmt::format("a window of {} is not supported", length));
  std::vector<float> values;
  const auto period = static_cast<double>(periodic ? length : length - 1);
  for (std::int64_t i = 0; i < length; ++i) {
    const double turn = length == 1 ? 0.5 : static_cast<double>(i) / period;
    values.push_back(length == 1 ? 1.0f : static_cast<float>(a - b * std::cos(2 * std::numbers::pi * turn)));
  }
  return lo.constant(values, Dims{length}, dtype);
}
constexpr double kHann = 0.5, kHamming = 0.54;
template <const double& kShare>
ValueIds periodic_window(Lowering& lo, const Args& a) {
  return {window(lo, a.integer(0), true, kShare, 1 - kShare, a.dtype_or(1, DType::kFloat32))};
}
template <const double& kShare>
ValueIds chosen_window(Lowering& lo, const Args& a) {
  return {window(lo, a.integer(0), a.flag(1), kShare, 1 - kShare, a.dtype_or(2, DType::kFloat32))};
}

constexpr Rule kRows[] = {
    {"aten::linalg_multi_dot(Tensor[] tensors) -> Tensor", multi_dot},
    {"aten::linalg_matrix_power(Tensor self, int n) -> Tensor", matrix_power},
    {"aten::matrix_power(Tensor self, int n) -> Tensor", matrix_power},
    {"aten::kron(Tensor self, Tensor other) -> Tensor", kron},
    {"aten::diagflat(Tensor self, int offset=0) -> Tensor", diagflat},
    {"aten::block_diag(Tensor[] tensors) -> Tensor", block_diag},
    {"aten::tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, "
     "Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     triangle_indices<true>},
    {"aten::triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, "
     "Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     triangle_indices<false>},
    {"aten::cartesian_prod(Tensor[] tensors) -> Tensor", cartesian_prod},
    {"aten::linalg_matrix_norm.str_ord(Tensor self, str ord=\"fro\", int[] dim=[-2, -1], bool keepdim=False, "
     "*, "
     "ScalarType? dtype=None) -> Tensor",
     matrix_norm},
    {"aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
     "dtype=None) -> Tensor",
     linalg_norm},
    {"aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor", renorm},
    {"aten::trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", trapezoid},
    {"aten::cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", cumulative_trapezoid},
    {"aten::hann_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     periodic_window<kHann>},
    {"aten::hann_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? "
     "layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     chosen_window<kHann>},
    {"aten::hamming_window(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     periodic_window<kHamming>},
    {"aten::hamming_window.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     chosen_window<kHamming>},
};

}  // namespace

constinit const RuleFamily kMatrixRules{kRows};

}  // namespace etalon::frontend

#include "ops/mask.h"

#include "ops/dispatch.h"
#include "ops/nonzero_element.h"

namespace etalon::ops {

std::int64_t count_nonzero(const TensorView& view) {
  std::int64_t count = 0;
  const auto status = visit_nonzero(view.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    const T* data = view.data_as<T>();
    for (std::int64_t i = 0; i < view.numel(); ++i) count += is_nonzero(data[i]) ? 1 : 0;
    return {};
  });
  ETALON_CHECK(status.ok());
  return count;
}

std::int64_t count_nonzero_bound(const TensorView& view) {
  return view.data() == nullptr ? view.numel() : count_nonzero(view);
}

}  // namespace etalon::ops

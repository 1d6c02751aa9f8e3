#include "base/result.h"

#include <cstdio>

namespace etalon {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "etalon: internal check failed: %s (%s:%d); this is a defect, please report it\n", condition,
               file, line);
  // Exit code 4 = a defect of ours; never a signal. _Exit skips destructors that may rely on the broken invariant.
  std::_Exit(4);
}

}  // namespace etalon

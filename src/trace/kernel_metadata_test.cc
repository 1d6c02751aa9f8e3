#include "trace/kernel_metadata.h"

#include <gtest/gtest.h>

namespace etalon::trace {
namespace {

TEST(KernelMetadata, is_json_that_names_the_kernel_and_why_not_a_better_one) {
  runtime::DelegateOperation operation;
  operation.kernel = "f32_gemm_minmax_ukernel_4x16__avx2";
  operation.isa = "avx2";
  operation.wanted_isa = "avx512";
  operation.reason = "the \"small\" one\n";
  operation.tile = "4x16";
  operation.nodes = {7, 3};
  operation.threads = 2;
  EXPECT_EQ(kernel_metadata(operation),
            R"({"kernel":"f32_gemm_minmax_ukernel_4x16__avx2","isa":"avx2","isa_wanted":"avx512",)"
            R"("reason":"the \"small\" one ","tile":"4x16","nodes":[3,7],"threads":2})");
}

}  // namespace
}  // namespace etalon::trace

#include <gtest/gtest.h>

#include "report/writers.h"

namespace etalon::report {
namespace {

TEST(ExamplesTable, is_published_with_absent_cells_as_dashes) {
  analysis::ExampleRow row;
  row.model = "mobilenet_v2";
  row.cells[0] = analysis::ExampleCell{30.5, 21.25, 50, 10};
  row.cells[1] = analysis::ExampleCell{6.5, 3.01, 40, 10};
  EXPECT_EQ(write_examples_table({row}),
            "| model | iteration | portable | xnnpack fp32 | xnnpack q8 |\n"
            "|---|---|---:|---:|---:|\n"
            "| mobilenet_v2 | first iteration | 30.50 ms | 6.50 ms | - |\n"
            "| | average of 50 after 10 | 21.25 ms | 3.01 ms (of 40 after 10) | - |\n");
}

}  // namespace
}  // namespace etalon::report

// Bundled programs (.bpte): a .pte with test inputs and expected outputs. Reading only.
//
// decode() is total; tensor data and the program are spans into the bytes handed in, which must outlive the
// result. The program is decoded by formats::pte. Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace etalon::formats::bpte {

// `data` is dense in dim_order and has exactly the bytes that dtype and sizes ask for.
struct Tensor {
  std::int8_t dtype = 0;  // c10 number
  std::vector<std::int32_t> sizes;
  std::vector<std::uint8_t> dim_order;
  Bytes data;
};

using Value = std::variant<Tensor, std::int64_t, bool, double>;

struct TestCase {
  std::vector<Value> inputs;
  std::vector<Value> expected_outputs;  // may be empty: nothing to compare with
};

struct TestSuite {
  std::string method;
  std::vector<TestCase> cases;
};

struct BundledProgram {
  std::uint32_t version = 0;
  std::vector<TestSuite> suites;
  Bytes program;  // a complete .pte
};

// Errors: kInvalidInput.
Result<BundledProgram> decode(Bytes file);

}  // namespace etalon::formats::bpte

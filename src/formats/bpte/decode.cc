#include "bundled_program_generated.h"
#include "formats/bpte/bpte.h"
#include "formats/flatbuffer_reading.h"
#include "formats/scalar_type.h"

namespace etalon::formats::bpte {
namespace {

class Decoder {
 public:
  explicit Decoder(Bytes file) : buffer_(file), reader_(file.size()) {}

  Result<BundledProgram> run() {
    if (!buffer_.fits()) return invalid_input("the bundled program has 2 GiB or more");
    flatbuffers::Verifier verifier = buffer_.verifier();
    if (!fb::bpte::VerifyBundledProgramBuffer(verifier)) {
      return invalid_input("not a bundled program, or damaged: its flatbuffer 'BP08' does not verify");
    }
    const auto* table = fb::bpte::GetBundledProgram(buffer_.data());
    if (table->program() == nullptr) return TableReader::missing("program");
    BundledProgram out;
    out.version = table->version();
    out.program = buffer_.original(table->program());
    ETALON_TRY(out.suites, reader_.tables<TestSuite>(table->method_test_suites(), "test suite",
                                                     [&](const auto& item) { return suite(item); }));
    return out;
  }

 private:
  Result<TestSuite> suite(const fb::bpte::BundledMethodTestSuite& table) {
    TestSuite out;
    ETALON_TRY(out.method, reader_.text(table.method_name(), "method name"));
    ETALON_TRY(out.cases, reader_.tables<TestCase>(table.test_cases(), "test case",
                                                   [&](const auto& item) { return test_case(item); }));
    return out;
  }

  Result<TestCase> test_case(const fb::bpte::BundledMethodTestCase& table) {
    TestCase out;
    ETALON_TRY(out.inputs,
               reader_.tables<Value>(table.inputs(), "input", [&](const auto& item) { return value(item); }));
    ETALON_TRY(out.expected_outputs, reader_.tables<Value>(table.expected_outputs(), "expected output",
                                                           [&](const auto& item) { return value(item); }));
    return out;
  }

  Result<Value> value(const fb::bpte::Value& table) {
    using Tag = fb::bpte::ValueUnion;
    if (table.val() == nullptr) return TableReader::missing("content");
    switch (table.val_type()) {
      case Tag::Tensor:
        return tensor(*table.val_as_Tensor());
      case Tag::Int:
        return Value(table.val_as_Int()->int_val());
      case Tag::Bool:
        return Value(table.val_as_Bool()->bool_val());
      case Tag::Double:
        return Value(table.val_as_Double()->double_val());
      default:
        break;
    }
    return invalid_input(fmt::format("unknown kind of value {}", static_cast<int>(table.val_type())));
  }

  Result<Value> tensor(const fb::bpte::Tensor& table) {
    Tensor out;
    out.dtype = table.scalar_type();
    ETALON_TRY(out.sizes, reader_.numbers(table.sizes(), "sizes"));
    ETALON_TRY(out.dim_order, reader_.numbers(table.dim_order(), "dim order"));
    if (!is_dim_order(out.dim_order, out.sizes.size())) {
      return invalid_input(fmt::format("dim order is not a permutation of {} dimensions", out.sizes.size()));
    }
    out.data = buffer_.original(table.data());
    const auto needed = dense_nbytes<std::int32_t>(out.dtype, out.sizes);
    if (needed != out.data.size()) {
      return invalid_input(fmt::format("a tensor has {} bytes, its sizes want {}", out.data.size(),
                                       needed ? std::to_string(*needed) : "more than can be counted"));
    }
    return Value(std::move(out));
  }

  AlignedFlatbuffer buffer_;
  TableReader reader_;
};

}  // namespace

Result<BundledProgram> decode(Bytes file) { return Decoder(file).run(); }

}  // namespace etalon::formats::bpte

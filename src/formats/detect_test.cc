#include "formats/detect.h"

#include <gtest/gtest.h>

#include "formats/sample_test.h"

namespace etalon::formats {
namespace {

TEST(Detect, knows_every_sample_by_its_content) {
  const std::pair<const char*, FileKind> cases[] = {
      {"tiny_portable.pte", FileKind::kPte},
      {"tiny_cnn.pt2", FileKind::kPt2},
      {"tiny_portable.etdump", FileKind::kEtdump},
      {"tiny_xnnpack.etrecord", FileKind::kEtrecord},
      {"tiny.bpte", FileKind::kBpte},
      {"external.ptd", FileKind::kPtd},
      {"f4.npy", FileKind::kNpy},
      {"misc.pt", FileKind::kUnknown},
      {"README.md", FileKind::kUnknown},
  };
  for (const auto& [name, kind] : cases) EXPECT_EQ(detect(sample(name).bytes()), kind) << name;
}

TEST(Detect, knows_onnx_by_the_fields_of_its_model) {
  // ir_version = 8, producer_name = "x", graph of two bytes, opset_import of two bytes
  const std::string model("\x08\x08\x12\x01x\x3a\x02\x0a\x00\x42\x02\x10\x11", 13);
  EXPECT_EQ(detect(as_byte_span(model)), FileKind::kOnnx);
  EXPECT_EQ(detect(as_byte_span(model.substr(0, 5))), FileKind::kUnknown);
}

TEST(Detect, says_unknown_for_anything_else) {
  EXPECT_EQ(detect({}), FileKind::kUnknown);
  EXPECT_EQ(detect(as_byte_span("hello world, this is text")), FileKind::kUnknown);
  EXPECT_EQ(detect(as_byte_span("PK\x03\x04 but no zip")), FileKind::kUnknown);
  EXPECT_EQ(short_name(FileKind::kPte), "pte");
  EXPECT_NE(describe(FileKind::kUnknown).find("unknown"), std::string_view::npos);
}

}  // namespace
}  // namespace etalon::formats

// For tests of delegation: a graph's text, delegated.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "backends/xnnpack/aot/delegate.h"
#include "formats/xnn/xnn.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace etalon::xnnpack {

struct Delegated {
  ir::Graph graph;
  Report report;
  std::string listing;
};

// The graph delegated; it is verified, printed and parsed back, and its payloads are decoded.
inline Delegated delegated(std::string_view text) {
  auto graph = ir::parse(text);
  EXPECT_TRUE(graph.ok()) << graph.error().message();
  if (!graph.ok()) return {};
  EXPECT_TRUE(ir::verify(*graph).ok()) << ir::verify(*graph).error().message();
  auto report = delegate_graph(*graph);
  EXPECT_TRUE(report.ok()) << report.error().message();
  if (!report.ok()) return {};
  const Status status = ir::verify(*graph);
  EXPECT_TRUE(status.ok()) << status.error().message();
  const std::string printed = ir::print(*graph);
  const auto parsed = ir::parse(printed);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message() << printed;
  if (parsed.ok()) EXPECT_EQ(ir::print(*parsed), printed);
  Delegated out{std::move(*graph), std::move(*report), {}};
  for (const ir::Delegate& delegate : out.graph.delegates) {
    const auto payload = formats::xnn::decode(delegate.payload);
    EXPECT_TRUE(payload.ok()) << payload.error().message();
    out.listing += delegate.listing;
  }
  return out;
}

inline std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace etalon::xnnpack

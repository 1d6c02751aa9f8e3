// Building two profiles with known differences, for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/model_facts.h"
#include "analysis/profile.h"

namespace etalon::analysis {

// Operators in the order of execution; times in milliseconds.
class ProfileBuilder {
 public:
  ProfileBuilder& op(const std::string& name, double ms) {
    OperatorRow row;
    row.name = name;
    row.op_type = name;
    row.category = Taxonomy().category_of(name);
    row.order = profile_.operators.size();
    row.instruction = static_cast<std::int64_t>(row.order);
    row.delegated = name.find(" (") != std::string::npos;
    row.backend = row.delegated ? "XnnpackBackend" : "portable";
    row.avg_ms = ms;
    profile_.operators.push_back(std::move(row));
    return *this;
  }
  ProfileBuilder& module(const std::string& module, int line = 0) {
    Source source;
    source.module = module;
    source.line = line;
    source.file = "model.py";
    last().source = source;
    return *this;
  }
  ProfileBuilder& kernel(const std::string& kernel, const std::string& isa) {
    last().kernel_hint = kernel;
    last().isa = isa;
    return *this;
  }
  ProfileBuilder& shape(const std::string& shape) {
    last().shape = shape;
    return *this;
  }
  ProfileBuilder& launches(std::vector<double> ms) {
    last().launch_ms = std::move(ms);
    return *this;
  }
  ProfileBuilder& too_short() {
    last().below_resolution = true;
    return *this;
  }
  // What this operator computed: one node of the facts, which reads and writes these values.
  ProfileBuilder& node(std::vector<std::int64_t> reads, std::vector<std::int64_t> writes,
                       std::int64_t handle = -1) {
    last().nodes.push_back(facts_.nodes.size());
    hidden_node(last().name, std::move(reads), std::move(writes));
    facts_.nodes.back().debug_handle = handle;
    return *this;
  }
  // A node of which no event tells.
  ProfileBuilder& hidden_node(const std::string& op, std::vector<std::int64_t> reads,
                              std::vector<std::int64_t> writes) {
    NodeFacts node;
    node.op = op;
    node.reads = std::move(reads);
    node.writes = std::move(writes);
    facts_.nodes.push_back(std::move(node));
    return *this;
  }
  OperatorRow& last() { return profile_.operators.back(); }
  const ModelFacts& facts() const { return facts_; }

  Profile profile(double framework_ms = 0, double residual_ms = 0) const {
    Profile profile = profile_;
    for (const OperatorRow& row : profile.operators) {
      profile.accounting.operators_ms += row.avg_ms;
      add_to_category(profile, row);
    }
    profile.accounting.framework_ms = framework_ms;
    profile.accounting.residual_ms = residual_ms;
    profile.accounting.end_to_end_ms = profile.accounting.operators_ms + framework_ms + residual_ms;
    return profile;
  }

 private:
  static void add_to_category(Profile& profile, const OperatorRow& row) {
    for (CategoryRow& category : profile.categories) {
      if (category.name == row.category) {
        category.ms += row.avg_ms;
        return;
      }
    }
    profile.categories.push_back({row.category, row.avg_ms, 0, 1});
  }

  Profile profile_;
  ModelFacts facts_;
};

}  // namespace etalon::analysis

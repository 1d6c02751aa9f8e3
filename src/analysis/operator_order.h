// The operators of one profile as they were executed, with what matching asks about each: kind of work,
// shape, origin, handles, neighbours in the data flow. Built for graph_matching.cc. Read-only after
// construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/model_facts.h"
#include "analysis/profile.h"
#include "analysis/work_kind.h"

namespace etalon::analysis {

struct OrderedOperator {
  std::size_t row = 0;  // index into Profile::operators
  Work work;
  std::vector<std::uint64_t>
      shape;         // of the output, sorted and without ones, so that layouts do not matter; empty: unknown
  std::string line;  // "features.0.0|mobilenetv2.py:174"; empty: unknown
  std::string module;                  // "features.0.0"
  std::vector<std::int64_t> handles;   // of a delegate's nodes
  std::vector<std::size_t> producers;  // places in the order, ascending
  std::vector<std::size_t> consumers;
};

class OperatorOrder {
 public:
  OperatorOrder(const Profile& profile, const ModelFacts* facts);

  std::size_t size() const { return operators_.size(); }
  const OrderedOperator& operator[](std::size_t place) const { return operators_[place]; }
  const OperatorRow& row(std::size_t place) const { return profile_->operators[operators_[place].row]; }
  bool knows_data_flow() const { return knows_data_flow_; }

 private:
  void connect(const ModelFacts& facts);

  const Profile* profile_;
  std::vector<OrderedOperator> operators_;
  bool knows_data_flow_ = false;
};

}  // namespace etalon::analysis

#include "analysis/order_alignment.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace etalon::analysis {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::size_t kMostCells = 16'000'000;

// How much agreement is worth; only the order of these matters. Work that differs is never paired.
constexpr std::int32_t kSameWork = 4;
constexpr std::int32_t kSameShape = 6;
constexpr std::int32_t kOtherShape = -3;
constexpr std::int32_t kSameNeighbour = 3;  // each side
constexpr std::int32_t kSameName = 2;

// An operator without a group, and the groups around it.
struct Candidate {
  std::size_t place = 0;
  std::size_t previous = kNone;
  std::size_t next = kNone;
};

std::vector<Candidate> candidates(const std::vector<std::size_t>& group_of) {
  std::vector<Candidate> found;
  std::size_t previous = kNone;
  for (std::size_t place = 0; place < group_of.size(); ++place) {
    if (group_of[place] != kNone)
      previous = group_of[place];
    else
      found.push_back({place, previous, kNone});
  }
  std::size_t next = kNone;
  std::size_t place = group_of.size();
  for (auto candidate = found.rbegin(); candidate != found.rend(); ++candidate) {
    for (; place > candidate->place; --place) {
      if (place < group_of.size() && group_of[place] != kNone) next = group_of[place];
    }
    candidate->next = next;
  }
  return found;
}

class Alignment {
 public:
  Alignment(const OperatorOrder& before, std::vector<Candidate> a, const OperatorOrder& after,
            std::vector<Candidate> b)
      : before_(before), after_(after), a_(std::move(a)), b_(std::move(b)) {}

  std::vector<AlignedPair> pairs() {
    if (a_.empty() || b_.empty()) return {};
    return a_.size() > kMostCells / b_.size() ? by_name() : by_order();
  }

 private:
  enum class Step : std::uint8_t { kPair, kSkipBefore, kSkipAfter };

  std::int32_t score(const Candidate& a, const Candidate& b) const {
    const OrderedOperator& x = before_[a.place];
    const OrderedOperator& y = after_[b.place];
    if (x.work != y.work) return 0;
    std::int32_t sum = kSameWork;
    if (!x.shape.empty() && !y.shape.empty()) sum += x.shape == y.shape ? kSameShape : kOtherShape;
    if (a.previous != kNone && a.previous == b.previous) sum += kSameNeighbour;
    if (a.next != kNone && a.next == b.next) sum += kSameNeighbour;
    if (before_.row(a.place).name == after_.row(b.place).name) sum += kSameName;
    return sum;
  }

  std::vector<AlignedPair> by_order() {
    const std::size_t columns = b_.size() + 1;
    std::vector<Step> steps((a_.size() + 1) * columns, Step::kSkipBefore);
    std::vector<std::int32_t> above(columns);
    std::vector<std::int32_t> row(columns);
    for (std::size_t i = 1; i <= a_.size(); ++i) {
      for (std::size_t j = 1; j < columns; ++j) {
        const std::int32_t worth = score(a_[i - 1], b_[j - 1]);
        Step& step = steps[i * columns + j];
        row[j] = above[j];
        if (row[j - 1] > row[j]) {
          row[j] = row[j - 1];
          step = Step::kSkipAfter;
        }
        if (worth > 0 && above[j - 1] + worth >= row[j]) {
          row[j] = above[j - 1] + worth;
          step = Step::kPair;
        }
      }
      std::swap(above, row);
    }
    std::vector<AlignedPair> found;
    for (std::size_t i = a_.size(), j = b_.size(); i > 0 && j > 0;) {
      const Step step = steps[i * columns + j];
      if (step == Step::kPair) found.push_back({a_[i - 1].place, b_[j - 1].place});
      if (step != Step::kSkipAfter) --i;
      if (step != Step::kSkipBefore) --j;
    }
    std::reverse(found.begin(), found.end());
    return found;
  }

  std::vector<AlignedPair> by_name() const {
    std::map<std::pair<std::int64_t, std::string_view>, std::size_t> named;
    for (const Candidate& b : b_)
      named.emplace(std::pair(after_.row(b.place).instruction, std::string_view(after_.row(b.place).name)),
                    b.place);
    std::vector<AlignedPair> found;
    for (const Candidate& a : a_) {
      const auto known = named.find({before_.row(a.place).instruction, before_.row(a.place).name});
      if (known == named.end()) continue;
      found.push_back({a.place, known->second});
      named.erase(known);
    }
    return found;
  }

  const OperatorOrder& before_;
  const OperatorOrder& after_;
  std::vector<Candidate> a_;
  std::vector<Candidate> b_;
};

}  // namespace

std::vector<AlignedPair> align_orders(const OperatorOrder& before,
                                      const std::vector<std::size_t>& group_before,
                                      const OperatorOrder& after,
                                      const std::vector<std::size_t>& group_after) {
  return Alignment(before, candidates(group_before), after, candidates(group_after)).pairs();
}

}  // namespace etalon::analysis

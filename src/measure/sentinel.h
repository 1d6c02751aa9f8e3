// A fixed piece of arithmetic, timed between blocks: when it takes longer than before, the machine has
// changed (a lower clock, a neighbour on the core) and what was measured around it is not comparable.
#pragma once

#include <cstddef>
#include <vector>

namespace etalon::measure {

// Nanoseconds of the fixed loop on the calling thread: the median of five runs of about 0.1 ms. No memory is
// touched, so it sees clock and contention and nothing of the model. Thread-safe.
double time_sentinel_ns();

// Judges readings against those before. The baseline is the lower quartile of all of them, so that a session
// that starts on a busy machine recovers and one that ends on a busy one is noticed. Thread-compatible.
class SentinelWatch {
 public:
  explicit SentinelWatch(double tolerance) : tolerance_(tolerance) {}

  void add(double reading_ns);
  bool deviates(double reading_ns) const;
  double baseline_ns() const;

 private:
  double tolerance_;
  std::vector<double> sorted_;
};

}  // namespace etalon::measure

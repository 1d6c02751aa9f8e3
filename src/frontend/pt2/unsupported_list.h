// Everything a model uses that cannot be imported, collected so that the user sees all of it at once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::frontend {

class UnsupportedList {
 public:
  // `what` is an operator, with the reason behind it if it is known in principle; `stack_trace` is
  // torch.export's.
  void add(const std::string& what, std::string_view stack_trace);
  bool empty() const { return entries_.empty(); }
  // One line per operator in order of appearance: how often, and where first.
  Error to_error() const;

 private:
  struct Entry {
    std::string what;
    std::size_t count = 0;
    std::string place;
  };
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

// "model.py:12 in forward" of the innermost frame outside of torch, or empty.
std::string user_place(std::string_view stack_trace);

}  // namespace etalon::frontend

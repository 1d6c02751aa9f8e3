#include "report/writers.h"

#include <algorithm>

namespace etalon::report {

const std::vector<Writer>& all_writers() {
  static const std::vector<Writer> writers = {
#define ETALON_WRITER(format, function, file, beside, timelines, what) {format, &function, file, beside, Timelines::timelines, what},
#include "report/writers.def"
#undef ETALON_WRITER
  };
  return writers;
}

const Writer* find_writer(std::string_view format) {
  const auto& writers = all_writers();
  const auto place = std::find_if(writers.begin(), writers.end(), [&](const Writer& writer) { return writer.format == format; });
  return place == writers.end() ? nullptr : &*place;
}

std::string write_plain(const analysis::Report& report) { return write_terminal(report, {}); }

}  // namespace etalon::report

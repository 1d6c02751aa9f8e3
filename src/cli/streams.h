// Standard input, output and error of our programs: what holds for them whatever they are connected to.
#pragma once

#include <string_view>

#include "base/result.h"

namespace etalon::cli {

// Before anything is opened: a closed descriptor 0, 1 or 2 would be given to the next file, and messages would
// land in it. Also makes writing to a closed pipe or over a size limit an error instead of a signal.
void prepare_streams();

// A line on stderr. Never fails and never throws: there is nobody left to tell.
void say(std::string_view line);

// "PROGRAM: MESSAGE" on one line, and a request to report it if it is a defect.
void say_error(std::string_view program, const Error& error);

// Whether all of stdout was written. A reader that left (`| head`) is no error; a full disk is: kIo.
Status finish_stdout();

}  // namespace etalon::cli

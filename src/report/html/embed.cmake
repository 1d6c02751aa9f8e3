# Writes OUT, a C++ file that holds the page's style sheet and script as text. Run with -DSTYLE= -DSCRIPT= -DOUT=.
file(READ "${STYLE}" style)
file(READ "${SCRIPT}" script)
file(WRITE "${OUT}" "#include \"report/html/assets.h\"

namespace etalon::report {

const std::string_view kPageStyle = R\"etalon(${style})etalon\";

const std::string_view kPageScript = R\"etalon(${script})etalon\";

}  // namespace etalon::report
")

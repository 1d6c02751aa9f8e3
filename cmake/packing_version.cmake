# Writes OUT, a header with one hash over the contents of SOURCES. Run with cmake -P.
set(hashes "")
foreach(source ${SOURCES})
  file(SHA256 ${source} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 version "${hashes}")
file(WRITE ${OUT} "#pragma once\n#define ETALON_PACKING_VERSION \"${version}\"\n")

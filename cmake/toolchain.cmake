# Compiler settings that hold for every target, and the system libraries.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(ETALON_CCACHE ccache)
if(ETALON_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ETALON_CCACHE})
endif()

# -fno-math-errno and no trapping math let loops vectorise; results stay IEEE (no -ffast-math anywhere).
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Werror -fno-math-errno -fno-trapping-math)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these when inlining std::variant and std::vector.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
                      -Wno-free-nonheap-object -Wno-dangling-pointer)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # `extern constinit const Table kTable{...};` defines a constant that a .def list names elsewhere;
  # loops that GCC vectorises are hints, not promises, under sanitizers.
  add_compile_options(-Wno-extern-initializer -Wno-pass-failed)
endif()
if(ETALON_SANITIZE)
  add_compile_options(-fsanitize=${ETALON_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ETALON_SANITIZE})
endif()
if(ETALON_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()


find_program(ETALON_MOLD NAMES mold)
if(ETALON_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CROSSCOMPILING)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)
if(ETALON_KERNELS_ONLY)
  # A cross build finds no libraries of this machine's: what kernels need is header-only, or built from its source.
  add_library(fmt::fmt INTERFACE IMPORTED)
  target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
else()
  find_package(fmt REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(nlohmann_json REQUIRED)
  find_package(simdjson REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(Boost CONFIG REQUIRED)
  find_program(ETALON_FLATC flatc REQUIRED)
endif()
if(ETALON_TESTS AND ETALON_KERNELS_ONLY)
  # Debian ships GoogleTest's source for this purpose.
  set(googletest /usr/src/googletest)
  add_library(gtest_all STATIC EXCLUDE_FROM_ALL ${googletest}/googletest/src/gtest-all.cc
    ${googletest}/googletest/src/gtest_main.cc ${googletest}/googlemock/src/gmock-all.cc)
  target_include_directories(gtest_all SYSTEM PUBLIC ${googletest}/googletest/include ${googletest}/googlemock/include
    PRIVATE ${googletest}/googletest ${googletest}/googlemock)
  target_compile_options(gtest_all PRIVATE -w)
  target_link_libraries(gtest_all PUBLIC Threads::Threads)
  foreach(name gtest gmock gtest_main)
    add_library(GTest::${name} ALIAS gtest_all)
  endforeach()
elseif(ETALON_TESTS)
  find_package(GTest REQUIRED)
endif()

# Finds the C++ SDK inside the `executorch` pip package and defines the target etalon_executorch_sdk.
#   ETALON_EXECUTORCH_SDK   <site-packages>/executorch; empty: not built
# Sets ETALON_EXECUTORCH_FOUND. The package's own CMake targets need CMake 3.28, which Debian 12 does not have, so its
# libraries are named here.
set(ETALON_EXECUTORCH_SDK "" CACHE PATH "Folder of the executorch pip package; empty: engine executorch is not built")
set(ETALON_EXECUTORCH_FOUND OFF)
if(ETALON_EXECUTORCH_SDK STREQUAL "")
  return()
endif()

set(components backend_xnnpack kernels_optimized kernels_quantized etdump threadpool)
set(libraries ${ETALON_EXECUTORCH_SDK}/lib/libexecutorch.so)
foreach(component ${components})
  list(APPEND libraries ${ETALON_EXECUTORCH_SDK}/lib/libexecutorch_${component}.so)
endforeach()
foreach(file ${libraries} ${ETALON_EXECUTORCH_SDK}/include/executorch/runtime/executor/method.h)
  if(NOT EXISTS ${file})
    message(WARNING "ETALON_EXECUTORCH_SDK: ${file} is missing (want the executorch package 1.5 or later); "
                    "engine executorch is not built")
    return()
  endif()
endforeach()

# __version__ = "1.5.1+cpu" and git_version: ... = '<sha>'
function(etalon_executorch_version_field name out)
  set(${out} "" PARENT_SCOPE)
  if(EXISTS ${ETALON_EXECUTORCH_SDK}/version.py)
    file(STRINGS ${ETALON_EXECUTORCH_SDK}/version.py line REGEX "^${name}[ :]")
    if(line MATCHES "= *['\"]([^'\"]+)['\"]")
      set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
    endif()
  endif()
endfunction()
etalon_executorch_version_field(__version__ version)
etalon_executorch_version_field(git_version revision)

add_library(etalon_executorch_sdk INTERFACE)
target_include_directories(etalon_executorch_sdk SYSTEM INTERFACE
  ${ETALON_EXECUTORCH_SDK}/include
  ${ETALON_EXECUTORCH_SDK}/include/executorch/runtime/core/portable_type/c10)
target_compile_definitions(etalon_executorch_sdk INTERFACE
  C10_USING_CUSTOM_GENERATED_MACROS ET_EVENT_TRACER_ENABLED ET_USE_THREADPOOL
  ETALON_EXECUTORCH_VERSION="${version}" ETALON_EXECUTORCH_REVISION="${revision}")
# Backends and kernels register themselves when their library is loaded; nothing refers to them by name.
target_link_libraries(etalon_executorch_sdk INTERFACE
  -Wl,--push-state,--no-as-needed ${libraries} -Wl,--pop-state
  # Inline functions of FlatBuffers and of generated schemas have the same names here and there, in other versions: ours
  # must not take the place of theirs.
  -Wl,--exclude-libs,ALL)
set(ETALON_EXECUTORCH_FOUND ON)
message(STATUS "engine executorch: ${version} in ${ETALON_EXECUTORCH_SDK}")

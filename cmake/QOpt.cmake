# The three functions every folder uses: a library, a tool, a unit test.
include(CMakeParseArguments)

# One precompiled header for all libraries that see MLIR.
add_library(QOptPCH OBJECT ${CMAKE_SOURCE_DIR}/cmake/Precompiled.cpp)
target_precompile_headers(QOptPCH PRIVATE ${CMAKE_SOURCE_DIR}/cmake/Precompiled.h)
target_compile_options(QOptPCH PRIVATE -fno-rtti -fno-exceptions)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(QOptPCH PRIVATE -Xclang -fpch-instantiate-templates)
endif()

# qopt_add_library(NAME source... [NO_MLIR] [DEPENDS target...] [LINK_LIBS lib...])
# A static library of this project. NO_MLIR leaves out the precompiled header
# and the MLIR library.
function(qopt_add_library name)
  cmake_parse_arguments(ARG "NO_MLIR" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter
                         -fno-rtti -fno-exceptions)
  if(NOT ARG_NO_MLIR)
    target_precompile_headers(${name} REUSE_FROM QOptPCH)
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      target_compile_options(${name} PRIVATE -Xclang -fpch-instantiate-templates)
    endif()
    target_link_libraries(${name} PUBLIC MLIR LLVM)
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
endfunction()

# qopt_add_tool(NAME source... [LINK_LIBS lib...])
function(qopt_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter
                         -fno-rtti -fno-exceptions)
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR LLVM)
endfunction()

# qopt_add_unittest(NAME source... [LINK_LIBS lib...])
# A GoogleTest binary; `check-qopt-unit` runs every one of them.
function(qopt_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unittests)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter)
  target_compile_definitions(${name} PRIVATE
    QOPT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" QOPT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} gtest gtest_main MLIR LLVM)
  set_property(GLOBAL APPEND PROPERTY QOPT_UNITTESTS ${name})
endfunction()

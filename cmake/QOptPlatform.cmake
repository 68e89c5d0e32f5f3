# What is linked into every model of one architecture.
find_program(QOPT_CLANG NAMES clang++-22 clang++ HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
find_program(QOPT_LD_LLD NAMES ld.lld-22 ld.lld HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)

# The one object that has the runtime. Its flags are fixed here, and not taken
# from this build: the object is part of each artefact, whatever the compiler
# itself was built with.
set(QOPT_MODEL_FLAGS -std=c++17 -O2 -fPIC -fno-exceptions -fno-rtti
  -fno-threadsafe-statics -fvisibility=hidden
  -fno-stack-protector -fno-asynchronous-unwind-tables -ffunction-sections
  -fdata-sections -ffp-contract=off -U_FORTIFY_SOURCE -g0
  -Wall -Wextra -Werror -I${CMAKE_SOURCE_DIR}/include)

function(qopt_add_runtime_object result)
  cmake_parse_arguments(ARG "" "TRIPLE" "FLAGS;SOURCES" ${ARGN})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/runtime)
  set(objects)
  get_target_property(sources QOptRuntime MODEL_SOURCES)
  foreach(source IN LISTS sources ARG_SOURCES)
    get_filename_component(path ${source} DIRECTORY)
    file(MAKE_DIRECTORY ${folder}/${path})
    set(object ${folder}/${source}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${QOPT_CLANG} ${QOPT_MODEL_FLAGS} --target=${ARG_TRIPLE} ${ARG_FLAGS}
              -MD -MF ${object}.d -c ${CMAKE_SOURCE_DIR}/lib/Runtime/${source} -o ${object}
      DEPENDS ${CMAKE_SOURCE_DIR}/lib/Runtime/${source} DEPFILE ${object}.d
      COMMENT "Compiling ${source} for models" VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  add_custom_command(OUTPUT ${folder}/runtime.o
    COMMAND ${QOPT_LD_LLD} -r -o ${folder}/runtime.o ${objects}
    DEPENDS ${objects} COMMENT "Joining the runtime for models" VERBATIM)
  set(${result} ${folder}/runtime.o PARENT_SCOPE)
endfunction()

# A libc of names and versions only, so that models link without a libc and
# refer to the right version of each function. A line of the file is
# `VERSION SYMBOL`, the oldest version first.
function(qopt_add_libc_stub result)
  cmake_parse_arguments(ARG "" "TRIPLE;SYMBOLS" "" ${ARGN})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/libc)
  file(STRINGS ${ARG_SYMBOLS} symbols REGEX "^GLIBC")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARG_SYMBOLS})
  set(source "")
  set(versions "")
  set(current "")
  set(parent "")
  foreach(entry IN LISTS symbols)
    separate_arguments(entry UNIX_COMMAND ${entry})
    list(GET entry 0 version)
    list(GET entry 1 symbol)
    string(APPEND source
      ".globl ${symbol}\n.type ${symbol},@function\n${symbol}: ret\n")
    if(NOT version STREQUAL current)
      if(current)
        string(APPEND versions "}${parent};\n")
        set(parent " ${current}")
        string(APPEND versions "${version} {\n  global:\n")
      else()
        string(APPEND versions "${version} {\n  local: *;\n  global:\n")
      endif()
      set(current ${version})
    endif()
    string(APPEND versions "    ${symbol};\n")
  endforeach()
  string(APPEND versions "}${parent};\n")
  file(GENERATE OUTPUT ${folder}/libc.s CONTENT "${source}")
  file(GENERATE OUTPUT ${folder}/libc.versions CONTENT "${versions}")
  add_custom_command(OUTPUT ${folder}/libc.so.6
    COMMAND ${QOPT_CLANG} --target=${ARG_TRIPLE} -c libc.s -o libc.o
    COMMAND ${QOPT_LD_LLD} -shared -soname=libc.so.6 --version-script=libc.versions
            -o ${folder}/libc.so.6 libc.o
    WORKING_DIRECTORY ${folder}
    DEPENDS ${folder}/libc.s ${folder}/libc.versions
    COMMENT "Making the libc that models link against" VERBATIM)
  set(${result} ${folder}/libc.so.6 PARENT_SCOPE)
endfunction()

# qopt_add_platform(SOURCE source TRIPLE triple LIBC_SYMBOLS file
#                   [FLAGS flag...] [RUNTIME source...])
# Builds both, and gives `source`, which embeds them, their paths as
# QOPT_RUNTIME_OBJECT and QOPT_LIBC_STUB. FLAGS choose the CPUs that the runtime
# itself needs; RUNTIME are sources in lib/Runtime that know the architecture.
function(qopt_add_platform)
  cmake_parse_arguments(ARG "" "SOURCE;TRIPLE;LIBC_SYMBOLS" "FLAGS;RUNTIME" ${ARGN})
  qopt_add_runtime_object(runtime TRIPLE ${ARG_TRIPLE} FLAGS ${ARG_FLAGS}
    SOURCES ${ARG_RUNTIME})
  qopt_add_libc_stub(libc TRIPLE ${ARG_TRIPLE}
    SYMBOLS ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_LIBC_SYMBOLS})
  set_source_files_properties(${ARG_SOURCE} PROPERTIES
    OBJECT_DEPENDS "${runtime};${libc}"
    COMPILE_DEFINITIONS "QOPT_RUNTIME_OBJECT=\"${runtime}\";QOPT_LIBC_STUB=\"${libc}\"")
endfunction()

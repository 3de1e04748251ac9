# PEP_SANITIZE=address,undefined or thread: for every target.
set(PEP_SANITIZE "" CACHE STRING "Sanitizers to build with")
if(PEP_SANITIZE)
  add_compile_options(-fsanitize=${PEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PEP_SANITIZE})
endif()

# The fuzzer sees where an input leads only in code that counts its edges: all of ours, not the fuzz target alone.
option(PEP_FUZZ "Build the libFuzzer targets (clang only)" OFF)
if(PEP_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "PEP_FUZZ needs libFuzzer, which ${CMAKE_C_COMPILER_ID} does not have; configure with CC=clang")
  endif()
  # A plugin would look for the depth of the stack in a program that has no place for it.
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-coverage=stack-depth)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

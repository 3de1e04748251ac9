# Writes OUTPUT: the commit that SOURCE is at, for /version and /metrics. Run at every build; the file changes only when the commit
# does. COMMIT, if it is not empty, is taken as it is: a package is built from sources without their history.
if(NOT COMMIT)
  execute_process(COMMAND git -C "${SOURCE}" rev-parse --show-toplevel OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE failed ERROR_QUIET)
  # Not that of a repository that only contains these sources.
  if(NOT failed)
    get_filename_component(top "${top}" REALPATH)
    get_filename_component(here "${SOURCE}" REALPATH)
  endif()
  if(NOT failed AND top STREQUAL here)
    execute_process(COMMAND git -C "${SOURCE}" describe --always --abbrev=12 --exclude=* --dirty=+ OUTPUT_VARIABLE COMMIT
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#define PEP_COMMIT \"${COMMIT}\"\n")

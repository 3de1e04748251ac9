# The postgres plugin, each test with a PostgreSQL server of its own. Exit code 77: PostgreSQL is not installed.
pep_unit_test(postgres_conformance
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/postgres_conformance.c ${CMAKE_CURRENT_LIST_DIR}/postgres_place.c ${storage_suite}
  LIBRARIES ${CMAKE_DL_LIBS})

foreach(name postgres_conformance)
  add_dependencies(${name} plugin-postgres)
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()

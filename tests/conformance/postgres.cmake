# The postgres plugin, each test with a PostgreSQL server of its own. Exit code 77: PostgreSQL is not installed.
set(postgres_plugin ${PROJECT_SOURCE_DIR}/plugins/storage/postgres)
set(postgres_place ${CMAKE_CURRENT_LIST_DIR}/postgres_place.c)
set(postgres_world ${postgres_place} ${CMAKE_CURRENT_LIST_DIR}/postgres_world.c ${conformance_common})
pep_unit_test(postgres_conformance
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/postgres_conformance.c ${postgres_place} ${storage_suite}
  LIBRARIES ${CMAKE_DL_LIBS})
pep_unit_test(postgres_query_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/postgres_query_test.c ${postgres_plugin}/query.c ${postgres_plugin}/record.c ${postgres_world}
  LIBRARIES PkgConfig::PQ ${CMAKE_DL_LIBS})
pep_unit_test(postgres_refusal_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/postgres_refusal_test.c ${postgres_world} LIBRARIES PkgConfig::PQ ${CMAKE_DL_LIBS})
pep_unit_test(postgres_fault_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/postgres_fault_test.c ${postgres_world} LIBRARIES PkgConfig::PQ ${CMAKE_DL_LIBS})

foreach(name postgres_conformance postgres_query_test postgres_refusal_test postgres_fault_test)
  add_dependencies(${name} plugin-postgres)
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()

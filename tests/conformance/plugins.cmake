# The suites, one program for each plugin with its page of facts.
set(conformance_common ${CMAKE_CURRENT_SOURCE_DIR}/plugin_table.c ${CMAKE_CURRENT_SOURCE_DIR}/poison.c)

# What a page of facts about a storage plugin is linked with.
set(storage_suite storage_suite.c storage_driver.c storage_model.c storage_data.c storage_write_cases.c storage_walk_cases.c
  storage_thread_cases.c storage_value_cases.c storage_history.c storage_order_cases.c storage_large_cases.c)
list(TRANSFORM storage_suite PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
list(APPEND storage_suite ${conformance_common})

foreach(name csv json)
  pep_unit_test(${name}_conformance
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${name}_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/exporter_suite.c
      ${CMAKE_CURRENT_SOURCE_DIR}/exporter_driver.c ${CMAKE_CURRENT_SOURCE_DIR}/golden_records.c ${conformance_common}
    LIBRARIES PkgConfig::JANSSON ${CMAKE_DL_LIBS})
  add_dependencies(${name}_conformance plugin-${name})
endforeach()

set(injector_common ${CMAKE_CURRENT_SOURCE_DIR}/injector_driver.c ${CMAKE_CURRENT_SOURCE_DIR}/mock_world.c ${conformance_common})
pep_unit_test(mock_conformance
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/mock_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/injector_suite.c ${injector_common}
  LIBRARIES ${CMAKE_DL_LIBS})
pep_unit_test(mock_test
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/mock_test.c ${CMAKE_CURRENT_SOURCE_DIR}/../../plugins/injector/mock/script.c ${injector_common}
  LIBRARIES ${CMAKE_DL_LIBS})
add_dependencies(mock_conformance plugin-mock)
add_dependencies(mock_test plugin-mock)

pep_unit_test(fcc_conformance
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/fcc_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/fcc_world.c
    ${CMAKE_CURRENT_SOURCE_DIR}/injector_suite.c ${CMAKE_CURRENT_SOURCE_DIR}/injector_driver.c ${conformance_common}
    ${PROJECT_SOURCE_DIR}/tests/unit/fcc/factory.c ${PROJECT_SOURCE_DIR}/core/config/value.c
    ${PROJECT_SOURCE_DIR}/plugins/injector/fcc/options.c
  LIBRARIES fcc-sim ${CMAKE_DL_LIBS})
add_dependencies(fcc_conformance plugin-fcc)

set(fcu_world "${PROJECT_SOURCE_DIR}/tests/unit/fcu")
pep_unit_test(fcu_conformance
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/fcu_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/injector_suite.c ${injector_common} ${fcu_world}/home.c
  LIBRARIES fcu-parts ${CMAKE_DL_LIBS})
target_compile_definitions(fcu_conformance PRIVATE PEP_TEST_FCU_RUNNER="$<TARGET_FILE:pep-fcu-run>")
add_dependencies(fcu_conformance plugin-fcu pep-fcu-run)

# The injector and exporter suites, one program for each plugin with its page of facts.
set(conformance_common ${CMAKE_CURRENT_SOURCE_DIR}/plugin_table.c ${CMAKE_CURRENT_SOURCE_DIR}/poison.c)

foreach(name csv json jsonl)
  pep_unit_test(${name}_conformance
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${name}_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/exporter_suite.c
      ${CMAKE_CURRENT_SOURCE_DIR}/exporter_driver.c ${CMAKE_CURRENT_SOURCE_DIR}/golden_records.c ${conformance_common}
    LIBRARIES PkgConfig::JANSSON ${CMAKE_DL_LIBS})
  add_dependencies(${name}_conformance plugin-${name})
endforeach()

# What only csv promises: the portal's rules, and the guard against spreadsheets.
set(csv_plugin "${PROJECT_SOURCE_DIR}/plugins/export/csv")
pep_unit_test(csv_test
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/csv_test.c ${csv_plugin}/quote.c ${csv_plugin}/portal.c ${csv_plugin}/inventory.c)

set(injector_common ${CMAKE_CURRENT_SOURCE_DIR}/injector_driver.c ${CMAKE_CURRENT_SOURCE_DIR}/mock_world.c ${conformance_common})
pep_unit_test(mock_conformance
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/mock_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/injector_suite.c ${injector_common}
  LIBRARIES ${CMAKE_DL_LIBS})
pep_unit_test(mock_test
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/mock_test.c ${CMAKE_CURRENT_SOURCE_DIR}/../../plugins/injector/mock/script.c ${injector_common}
  LIBRARIES ${CMAKE_DL_LIBS})
add_dependencies(mock_conformance plugin-mock)
add_dependencies(mock_test plugin-mock)

set(fcc_world "${PROJECT_SOURCE_DIR}/tests/unit/fcc")
pep_unit_test(fcc_conformance
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/fcc_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/injector_suite.c
    ${CMAKE_CURRENT_SOURCE_DIR}/injector_driver.c ${conformance_common} ${fcc_world}/factory.c ${fcc_world}/gateways.c
    ${fcc_world}/gateway_answer.c ${PROJECT_SOURCE_DIR}/core/config/value.c
  LIBRARIES fcc-parts ${CMAKE_DL_LIBS})
add_dependencies(fcc_conformance plugin-fcc)

set(fcu_world "${PROJECT_SOURCE_DIR}/tests/unit/fcu")
pep_unit_test(fcu_conformance
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/fcu_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/injector_suite.c ${injector_common} ${fcu_world}/home.c
  LIBRARIES fcu-parts ${CMAKE_DL_LIBS})
target_compile_definitions(fcu_conformance PRIVATE PEP_TEST_FCU_RUNNER="$<TARGET_FILE:pep-fcu-run>")
add_dependencies(fcu_conformance plugin-fcu pep-fcu-run)

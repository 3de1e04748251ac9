# The suites, one program for each plugin with its page of facts.
set(conformance_common ${CMAKE_CURRENT_SOURCE_DIR}/plugin_table.c ${CMAKE_CURRENT_SOURCE_DIR}/poison.c)

# What a page of facts about a storage plugin is linked with.
set(storage_suite storage_suite.c storage_driver.c storage_model.c storage_data.c storage_write_cases.c storage_walk_cases.c
  storage_thread_cases.c storage_value_cases.c storage_history.c storage_order_cases.c storage_large_cases.c
  storage_note_cases.c)
list(TRANSFORM storage_suite PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
list(APPEND storage_suite ${conformance_common})

# The exporter suite is pep-plugin-check itself, on what we build.
function(exporter_conformance name plugin)
  add_test(NAME ${name}_conformance COMMAND pep-plugin-check $<TARGET_FILE:plugin-${plugin}> ${ARGN})
endfunction()
set(golden "${CMAKE_CURRENT_SOURCE_DIR}/golden")
exporter_conformance(csv csv --expect "${golden}/identities.csv")
exporter_conformance(csv_inventory csv --profile inventory --expect "${golden}/inventory.csv" --only bytes_*)
exporter_conformance(csv_guarded csv --profile inventory --set spreadsheet_safe=true --expect "${golden}/inventory_guarded.csv")
exporter_conformance(json json --expect "${golden}/identities.json")
exporter_conformance(jsonl jsonl --expect "${golden}/identities.jsonl")

# Every run of it starts a program: two minutes, which is enough once.
if(NOT PEP_SANITIZE)
  exporter_conformance(exec exec --set command=/bin/cat --set media_type=application/x-ndjson --set suffix=jsonl)
endif()

# The same program on the other kinds: what it looks at without their pages of facts.
add_test(NAME plugin_check_sqlite COMMAND pep-plugin-check $<TARGET_FILE:plugin-sqlite>)
add_test(NAME plugin_check_mock COMMAND pep-plugin-check $<TARGET_FILE:plugin-mock> --gateway 192.0.2.1:7777)
add_test(NAME plugin_check_webhook COMMAND pep-plugin-check $<TARGET_FILE:plugin-webhook> --static)
add_test(NAME plugin_check_fcc COMMAND pep-plugin-check $<TARGET_FILE:plugin-fcc> --static)
add_test(NAME plugin_check_fcu COMMAND pep-plugin-check $<TARGET_FILE:plugin-fcu> --static)

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

# That the suite finds what is wrong.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME plugin_check_naughty_test
  COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/naughty/naughty_test.py" $<TARGET_FILE:pep-plugin-check> "${CMAKE_C_COMPILER}"
          "${PROJECT_SOURCE_DIR}/core/include")
add_test(NAME plugin_check_feed_test
  COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/feed_test.sh" $<TARGET_FILE:pep-plugin-check> "${PEP_PLUGIN_OUTPUT_DIR}")

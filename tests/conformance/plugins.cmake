# The injector and exporter suites, one program for each plugin with its page of facts.
set(conformance_common ${CMAKE_CURRENT_SOURCE_DIR}/plugin_table.c ${CMAKE_CURRENT_SOURCE_DIR}/poison.c)

foreach(name csv json)
  pep_unit_test(${name}_conformance
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${name}_conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/exporter_suite.c
      ${CMAKE_CURRENT_SOURCE_DIR}/exporter_driver.c ${CMAKE_CURRENT_SOURCE_DIR}/golden_records.c ${conformance_common}
    LIBRARIES PkgConfig::JANSSON ${CMAKE_DL_LIBS})
  add_dependencies(${name}_conformance plugin-${name})
endforeach()

# pep_add_plugin(NAME SOURCES file... [LIBRARIES target...]): a plugin that can be loaded by name. Ours and partners' alike.
function(pep_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(plugin-${name} MODULE ${PLUGIN_SOURCES})
  set_target_properties(plugin-${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY "${PEP_PLUGIN_OUTPUT_DIR}")
  target_link_libraries(plugin-${name} PRIVATE pep::plugin ${PLUGIN_LIBRARIES})
  install(TARGETS plugin-${name} LIBRARY DESTINATION "${PEP_PLUGIN_INSTALL_DIR}")
endfunction()
set(PEP_PLUGIN_OUTPUT_DIR "${CMAKE_BINARY_DIR}/plugins/lib")
set(PEP_PLUGIN_INSTALL_DIR "${CMAKE_INSTALL_LIBDIR}/pep/plugins")

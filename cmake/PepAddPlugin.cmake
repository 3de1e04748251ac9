# pep_add_plugin(NAME SOURCES file... [LIBRARIES target...]): a plugin that can be loaded by name. Ours and partners' alike: in the
# tree it becomes part of the build's own plugin folder, behind find_package(pep-plugin) it lies in the partner's build folder.
if(NOT DEFINED PEP_PLUGIN_INSTALL_DIR)
  set(PEP_PLUGIN_INSTALL_DIR "${CMAKE_INSTALL_LIBDIR}/pep/plugins")
  set(PEP_PLUGIN_OUTPUT_DIR "${CMAKE_BINARY_DIR}/plugins/lib")
endif()

function(pep_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(plugin-${name} MODULE ${PLUGIN_SOURCES})
  set_target_properties(plugin-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden)
  target_compile_features(plugin-${name} PRIVATE c_std_11)
  if(PEP_PLUGIN_OUTPUT_DIR)
    set_target_properties(plugin-${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PEP_PLUGIN_OUTPUT_DIR}")
  endif()
  target_link_libraries(plugin-${name} PRIVATE pep::plugin ${PLUGIN_LIBRARIES})
  install(TARGETS plugin-${name} LIBRARY DESTINATION "${PEP_PLUGIN_INSTALL_DIR}")
endfunction()

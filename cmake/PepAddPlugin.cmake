# pep_add_plugin(NAME SOURCES file... [LIBRARIES target...] [CHECK option...] [COMPONENT name]): a plugin that can be loaded by name, and
# is installed as part of the component (default: plugins; of our own: server). Ours and partners' alike: in the tree it becomes part of the build's own plugin folder, behind find_package(pep-plugin) it lies in the partner's build
# folder. There it also gets a test, if testing is enabled: pep-plugin-check with the options after CHECK.
if(NOT DEFINED PEP_PLUGIN_INSTALL_DIR)
  set(PEP_PLUGIN_INSTALL_DIR "${CMAKE_INSTALL_LIBDIR}/pep/plugins")
  set(PEP_PLUGIN_OUTPUT_DIR "${CMAKE_BINARY_DIR}/plugins/lib")
  set(PEP_PLUGIN_COMPONENT server)
endif()

function(pep_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "COMPONENT" "SOURCES;LIBRARIES;CHECK" ${ARGN})
  add_library(plugin-${name} MODULE ${PLUGIN_SOURCES})
  set_target_properties(plugin-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden)
  target_compile_features(plugin-${name} PRIVATE c_std_11)
  if(PEP_PLUGIN_OUTPUT_DIR)
    set_target_properties(plugin-${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PEP_PLUGIN_OUTPUT_DIR}")
  endif()
  target_link_libraries(plugin-${name} PRIVATE pep::plugin ${PLUGIN_LIBRARIES})
  # What the server and pep-plugin-check ask for: nothing writable that need not be, every symbol there.
  target_link_options(plugin-${name} PRIVATE -Wl,-z,relro,-z,now,-z,noexecstack)
  if(PEP_PLUGIN_CHECK)
    add_test(NAME pep-plugin-check-${name} COMMAND "${PEP_PLUGIN_CHECK}" "$<TARGET_FILE:plugin-${name}>" ${PLUGIN_CHECK})
  endif()
  if(NOT PLUGIN_COMPONENT)
    set(PLUGIN_COMPONENT "${PEP_PLUGIN_COMPONENT}")
  endif()
  install(TARGETS plugin-${name} LIBRARY DESTINATION "${PEP_PLUGIN_INSTALL_DIR}" COMPONENT "${PLUGIN_COMPONENT}")
endfunction()

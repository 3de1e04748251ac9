# What a plugin's author finds us by: find_package(pep-plugin 1) and pkg-config pep-plugin. Their version is that of the plugin contract.
include(CMakePackageConfigHelpers)

file(STRINGS "${PROJECT_SOURCE_DIR}/core/include/pep/plugin.h" abi_lines REGEX "^#define PEP_ABI_(MAJOR|MINOR) ")
string(REGEX REPLACE "^.*PEP_ABI_MAJOR ([0-9]+).*PEP_ABI_MINOR ([0-9]+).*$" "\\1.\\2" PEP_ABI_VERSION "${abi_lines}")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/pep-plugin")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/pep-pluginConfig.cmake.in" "${PROJECT_BINARY_DIR}/pep-pluginConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_INCLUDEDIR PEP_PLUGIN_INSTALL_DIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/pep-pluginConfigVersion.cmake"
  VERSION "${PEP_ABI_VERSION}" COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/pep-pluginConfig.cmake" "${PROJECT_BINARY_DIR}/pep-pluginConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/PepAddPlugin.cmake" DESTINATION "${package_dir}" COMPONENT dev)

# The prefix is found from where the file lies, so that `cmake --install --prefix` may choose it late.
file(RELATIVE_PATH PEP_PREFIX_FROM_PC "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" PEP_PREFIX_FROM_PC "${PEP_PREFIX_FROM_PC}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/pep-plugin.pc.in" "${PROJECT_BINARY_DIR}/pep-plugin.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/pep-plugin.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)

# Run by CPack when every component lies in a folder of its own, before these become packages: adds what Debian asks of each package.
find_program(GZIP gzip REQUIRED)
find_program(STRIP strip REQUIRED)
get_filename_component(source "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(debian "${source}/packaging/debian")

# gzip -n leaves out names and times: the same sources give the same package.
function(compress file)
  execute_process(COMMAND "${GZIP}" -9nf "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(changelog "${CPACK_TOPLEVEL_DIRECTORY}/changelog.Debian")
execute_process(COMMAND "${debian}/changelog" "${source}/CHANGELOG.md" "${CPACK_PACKAGE_CONTACT}" "${CPACK_DEBIAN_PACKAGE_RELEASE}"
  OUTPUT_FILE "${changelog}" COMMAND_ERROR_IS_FATAL ANY)

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}")
  string(TOUPPER "${component}" COMPONENT)
  set(package "${CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME}")
  set(doc "${root}${CPACK_INSTALL_PREFIX}/share/doc/${package}")

  file(GLOB manuals "${root}${CPACK_INSTALL_PREFIX}/share/man/man*/*.[1-8]")
  foreach(manual IN LISTS manuals)
    compress("${manual}")
  endforeach()

  file(GLOB_RECURSE programs "${root}${CPACK_INSTALL_PREFIX}/*.so" "${root}${CPACK_INSTALL_PREFIX}/bin/*" "${root}${CPACK_INSTALL_PREFIX}/sbin/*"
    "${root}${CPACK_INSTALL_PREFIX}/libexec/*")
  foreach(program IN LISTS programs)
    execute_process(COMMAND "${STRIP}" --remove-section=.comment "${program}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()

  # The licence stands in copyright; CHANGELOG.md goes by the name that Debian gives it.
  file(REMOVE "${doc}/LICENSE" "${doc}/CHANGELOG.md")
  file(MAKE_DIRECTORY "${doc}")
  configure_file("${debian}/copyright" "${doc}/copyright" COPYONLY)
  configure_file("${source}/CHANGELOG.md" "${doc}/changelog" COPYONLY)
  compress("${doc}/changelog")
  configure_file("${changelog}" "${doc}/changelog.Debian" COPYONLY)
  compress("${doc}/changelog.Debian")
  if(EXISTS "${debian}/${component}/README.Debian")
    configure_file("${debian}/${component}/README.Debian" "${doc}/README.Debian" COPYONLY)
  endif()
  configure_file("${debian}/lintian-overrides" "${root}${CPACK_INSTALL_PREFIX}/share/lintian/overrides/${package}" COPYONLY)
endforeach()

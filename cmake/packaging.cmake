# The packages of Debian 12, one for each component of the installation; scripts/package builds them. What is Debian's alone (maintainer
# scripts, changelog, copyright, compressed manual pages) is in packaging/debian and never part of `cmake --install`.
set(debian "${PROJECT_SOURCE_DIR}/packaging/debian")

set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pep)
set(CPACK_PACKAGE_VENDOR "the pep authors")
# Debian wants an address in every package. This one says that it is none; who gives packages to others sets theirs.
set(PEP_MAINTAINER "The pep authors <nobody@pep.invalid>" CACHE STRING "Who answers for the packages: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT "${PEP_MAINTAINER}")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}")
set(CPACK_PACKAGING_INSTALL_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_INSTALL_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_SET_DESTDIR ON) # /etc/pep is not below the prefix
set(CPACK_COMPONENTS_ALL server storage-postgres storage-mongo cli fcc-sim dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/packaging-finish.cmake")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SOURCE pep)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# With an address of the project's page set, it stands in every package.
set(PEP_HOMEPAGE "" CACHE STRING "Address of the project's page, for the packages")
if(PEP_HOMEPAGE)
  set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "${PEP_HOMEPAGE}")
endif()

set(this_version "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME pep-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_SERVER_PACKAGE_RECOMMENDS "pep-cli, ca-certificates")
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS "pep-storage-postgres, pep-storage-mongo")
set(CPACK_DEBIAN_SERVER_DESCRIPTION "server that gives IoT gateways their identity on the production line
A station asks for a serial number; the server makes an enrollment identity
for it, injects it into the gateway over the network, and records it.

This package has the server, the SQLite storage, all injectors and all
exporters.")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  "${debian}/server/postinst;${debian}/server/prerm;${debian}/server/postrm;${debian}/server/triggers;${debian}/server/conffiles")

foreach(store postgres mongo)
  string(TOUPPER "${store}" STORE)
  set(CPACK_DEBIAN_STORAGE-${STORE}_PACKAGE_NAME pep-storage-${store})
  set(CPACK_DEBIAN_STORAGE-${STORE}_PACKAGE_SECTION net)
  set(CPACK_DEBIAN_STORAGE-${STORE}_PACKAGE_DEPENDS "pep-server (= ${this_version})")
  set(CPACK_DEBIAN_STORAGE-${STORE}_PACKAGE_CONTROL_EXTRA "${debian}/storage/postinst")
endforeach()
set(CPACK_DEBIAN_STORAGE-POSTGRES_DESCRIPTION "PostgreSQL storage of pep-server
Keeps the identities of one or several servers in a PostgreSQL database, by
the plugin \"postgres\".")
set(CPACK_DEBIAN_STORAGE-MONGO_DESCRIPTION "MongoDB storage of pep-server
Keeps the identities of one or several servers in a MongoDB database, by the
plugin \"mongo\". The database of the original Edge Provisioner is taken over.")

set(CPACK_DEBIAN_CLI_PACKAGE_NAME pep-cli)
set(CPACK_DEBIAN_CLI_PACKAGE_SECTION net)
set(CPACK_DEBIAN_CLI_DESCRIPTION "command line client of pep-server
Asks a pep-server for a gateway's identity, looks identities up, lists and
exports them. It needs libcurl, and nothing of the server.")

set(CPACK_DEBIAN_FCC-SIM_PACKAGE_NAME pep-fcc-sim)
set(CPACK_DEBIAN_FCC-SIM_PACKAGE_SECTION net)
set(CPACK_DEBIAN_FCC-SIM_PACKAGE_ENHANCES "pep-server")
set(CPACK_DEBIAN_FCC-SIM_DESCRIPTION "simulated gateways for a production line without gateways
Speaks the gateway's side of the factory protocol, with faults on request:
for trying out a line's set-up, for continuous integration and for training.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME pep-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "pkg-config | pkgconf")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "cmake, gcc | c-compiler")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "pep-server, pep-cli")
set(CPACK_DEBIAN_DEV_DESCRIPTION "headers and checks for authors of pep-server plugins
The contract of storage, injector and exporter plugins as C headers, with a
CMake package and pkg-config; and pep-plugin-check, which begins a plugin from
a template and tests it by the contract.")

set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};pep;ALL;/")
include(CPack)

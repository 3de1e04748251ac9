# The mongo plugin against the server that tests/e2e/mongo_server.py finds.
pep_unit_test(mongo_conformance SOURCES mongo_conformance.c mongo_place.c ${storage_suite}
  LIBRARIES PkgConfig::MONGOC ${CMAKE_DL_LIBS})
add_dependencies(mongo_conformance plugin-mongo)

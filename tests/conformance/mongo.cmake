# The mongo plugin against the server that tests/e2e/mongo_server.py finds, or against its double where faults are made in the server.
pep_unit_test(mongo_conformance SOURCES mongo_conformance.c mongo_place.c ${storage_suite}
  LIBRARIES PkgConfig::MONGOC ${CMAKE_DL_LIBS})
add_dependencies(mongo_conformance plugin-mongo)
foreach(name takeover refusal fault note)
  pep_unit_test(mongo_${name}_test SOURCES mongo_${name}_test.c mongo_world.c mongo_place.c ${conformance_common}
    LIBRARIES PkgConfig::MONGOC ${CMAKE_DL_LIBS})
  add_dependencies(mongo_${name}_test plugin-mongo)
endforeach()

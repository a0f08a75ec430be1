foreach(name datagram envelope lookup message record_store routing_table rtt token)
  shoal_test(dht_${name}_test SOURCES ${name}_test.c LINKS shoal_dht)
endforeach()
shoal_test(dht_test
  SOURCES dht_test.c ${CMAKE_SOURCE_DIR}/tests/support/dht_world.c
  LINKS shoal_dht)

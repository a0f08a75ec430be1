set(network_world ${CMAKE_SOURCE_DIR}/tests/support/network_attacker.c
  ${CMAKE_SOURCE_DIR}/tests/support/network_look.c
  ${CMAKE_SOURCE_DIR}/tests/support/network_world.c ${CMAKE_SOURCE_DIR}/tests/support/plain_chain.c)
foreach(name network network_flood network_hostile)
  shoal_test(dht_${name}_test SOURCES ${name}_test.c ${network_world} LINKS shoal_dht)
endforeach()

foreach(name datagram envelope message routing_table rtt token)
  shoal_test(dht_${name}_test SOURCES ${name}_test.c LINKS shoal_dht)
endforeach()

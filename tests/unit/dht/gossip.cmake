foreach(name peer_message)
  shoal_test(dht_${name}_test SOURCES ${name}_test.c LINKS shoal_dht)
endforeach()

foreach(name gossip gossip_mesh gossip_seen gossip_want peer_message serve)
  shoal_test(dht_${name}_test SOURCES ${name}_test.c LINKS shoal_dht)
endforeach()

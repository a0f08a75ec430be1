foreach(name peers peers_bans peers_book peers_inbound peers_outbound peers_saved)
  shoal_test(dht_${name}_test SOURCES ${name}_test.c LINKS shoal_dht)
endforeach()

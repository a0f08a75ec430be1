foreach(name sync sync_hostile sync_loose)
  shoal_test(dht_${name}_test SOURCES ${name}_test.c sync_toy.c sync_toy_make.c sync_toy_table.c
    sync_world.c
    LINKS shoal_dht)
endforeach()

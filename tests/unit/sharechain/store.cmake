shoal_test(sorted_map_test SOURCES sorted_map_test.c LINKS shoal_store)
shoal_test(store_test SOURCES store_test.c LINKS shoal_store)
shoal_test(store_lmdb_test SOURCES store_lmdb_test.c LINKS shoal_store PkgConfig::LMDB)
shoal_test(store_fault_test SOURCES store_fault_test.c LINKS shoal_store)

# Where the share-chain is kept. Only store_lmdb*.c in layer 3 knows LMDB, files and a thread.
shoal_library(shoal_store
  SOURCES sorted_map.c store.c store_entry.c store_lmdb.c store_lmdb_env.c store_lmdb_file.c
    store_lmdb_folder.c store_lmdb_look.c store_lmdb_writer.c store_memory.c
  LINKS shoal_base PkgConfig::LMDB Threads::Threads)

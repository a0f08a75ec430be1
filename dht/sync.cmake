# Sync: catching up, and what waiting objects lack. Ids are hashes of headers, hence shoal_pow.
target_sources(shoal_dht PRIVATE sync.c sync_batch.c sync_feed.c sync_fetch.c sync_lack.c
  sync_loose.c sync_prove.c sync_request.c)
target_link_libraries(shoal_dht PUBLIC shoal_pow)

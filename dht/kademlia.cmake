# Who is out there: the Kademlia half of dht/, over datagrams.
target_sources(shoal_dht PRIVATE contact.c datagram.c dht.c dht_fill.c dht_query.c dht_search.c
  dht_serve.c dht_upkeep.c envelope.c lookup.c message.c record_store.c routing_table.c rtt.c
  sealing.c token.c)

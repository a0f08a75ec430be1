# All of it joined behind one set of inputs.
target_sources(shoal_dht PRIVATE network.c network_address.c network_dht.c network_messages.c
  network_outbox.c network_peers.c network_streams.c network_views.c)

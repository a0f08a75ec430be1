# Who is out there: the Kademlia half of dht/, over datagrams.
target_sources(shoal_dht PRIVATE contact.c datagram.c envelope.c message.c routing_table.c rtt.c
  sealing.c token.c)

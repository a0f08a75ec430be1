# Who is out there: the Kademlia half of dht/, over datagrams.
target_sources(shoal_dht PRIVATE contact.c routing_table.c rtt.c)

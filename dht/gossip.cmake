# What happened: messages between peers, and how they spread.
target_sources(shoal_dht PRIVATE peer_message.c)

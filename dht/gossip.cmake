# What happened: messages between peers, how they spread, and what is answered.
target_sources(shoal_dht PRIVATE gossip.c gossip_rank.c gossip_seen.c gossip_share.c gossip_tell.c
  gossip_want.c peer_message.c serve.c)

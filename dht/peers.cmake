# Whom to have links with.
target_sources(shoal_dht PRIVATE peers.c peers_bans.c peers_book.c peers_choice.c peers_drop.c
  peers_inbound.c peers_outbound.c peers_saved.c)

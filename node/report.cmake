# What a node tells, and what it remembers in order to tell it.
target_sources(shoal_node PRIVATE
  miner_book.c miner_book_store.c payout_book.c report.c report_addresses.c report_blocks.c
  report_chain.c report_links.c report_miners.c report_network.c report_shares.c report_standings.c
  report_status.c report_table.c report_template.c
  web_openapi.c)

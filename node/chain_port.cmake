# The share-chain as the network sees it: for the node and for the simulator. Of dht/ it needs the
# headers only.
shoal_library(shoal_chain_port
  SOURCES chain_port.c chain_port_add.c chain_port_block.c chain_port_hold.c chain_port_proof.c
  LINKS shoal_sharechain)

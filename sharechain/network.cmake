# What the network and people ask of the share-chain.
target_sources(shoal_sharechain PRIVATE adopt.c browse.c lacks.c old.c prune.c root.c serve.c)

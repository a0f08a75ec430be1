# What the network asks of the share-chain.
target_sources(shoal_sharechain PRIVATE adopt.c lacks.c old.c prune.c root.c serve.c)

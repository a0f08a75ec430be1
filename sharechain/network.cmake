# What the network asks of the share-chain.
target_sources(shoal_sharechain PRIVATE lacks.c serve.c)

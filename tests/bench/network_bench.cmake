# Run the programs of the same build.
set(network_bench_parts network_bench_nodes.c node_bench_process.c supervise.c)
shoal_bench(network_bench
  SOURCES network_bench.c network_bench_share.c network_bench_watch.c node_bench_echo.c
    node_bench_load.c ${network_bench_parts}
  LINKS shoal_net miner_core)
add_dependencies(network_bench shoal devchain bad_peer)

shoal_program(dated_coin SOURCES dated_coin.c LINKS devchain_core)
shoal_bench(network_bench_sync
  SOURCES network_bench_sync.c network_bench_chain.c ${network_bench_parts}
    ${CMAKE_SOURCE_DIR}/tests/support/share_maker.c
  LINKS shoal_sharechain testnet_common)
add_dependencies(network_bench_sync shoal devchain dated_coin)

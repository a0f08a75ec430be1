add_library(chain_port_fixture STATIC
  chain_port_fixture.c ${CMAKE_SOURCE_DIR}/tests/support/share_maker.c)
target_link_libraries(chain_port_fixture PUBLIC shoal_chain_port PkgConfig::CMOCKA)
shoal_test(node_chain_port_test SOURCES chain_port_test.c LINKS chain_port_fixture)
shoal_test(node_chain_port_block_test SOURCES chain_port_block_test.c LINKS chain_port_fixture)
shoal_test(node_standings_test SOURCES standings_test.c standings_naive.c
  LINKS chain_port_fixture shoal_standings m)
shoal_test(node_standings_bounds_test
  SOURCES standings_bounds_test.c ${CMAKE_SOURCE_DIR}/tests/support/share_maker.c
  LINKS shoal_standings)

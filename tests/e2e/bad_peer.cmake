# A hostile peer; the benches use it, too.
shoal_program(bad_peer
  SOURCES ${CMAKE_SOURCE_DIR}/tests/support/bad_peer.c
    ${CMAKE_SOURCE_DIR}/tests/support/bad_peer_member.c
    ${CMAKE_SOURCE_DIR}/tests/support/bad_peer_stranger.c
  LINKS shoal_dht testnet_common)

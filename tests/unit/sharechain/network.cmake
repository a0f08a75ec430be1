foreach(name lacks serve)
  shoal_test(sharechain_${name}_test
    SOURCES ${name}_test.c ${CMAKE_SOURCE_DIR}/tests/support/share_maker.c
    LINKS shoal_sharechain)
endforeach()
foreach(name adopt prune)
  shoal_test(sharechain_${name}_test SOURCES ${name}_test.c LINKS chain_port_fixture)
endforeach()

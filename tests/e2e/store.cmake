# As root store_full_test also mounts small disks; otherwise it says that it did not, and counts as
# skipped.
foreach(name store_kill_test store_full_test)
  shoal_program(${name} SOURCES ${name}.c LINKS shoal_store)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/e2e)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()

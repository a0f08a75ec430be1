shoal_program(store_kill_test SOURCES store_kill_test.c LINKS shoal_store)
add_test(NAME store_kill_test COMMAND store_kill_test)
set_tests_properties(store_kill_test PROPERTIES TIMEOUT 120)
# As root it also mounts a small disk; otherwise it says that it did not and counts as skipped.
shoal_program(store_full_test SOURCES store_full_test.c LINKS shoal_store)
add_test(NAME store_full_test COMMAND store_full_test)
set_tests_properties(store_full_test PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)

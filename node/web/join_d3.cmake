# cmake -DOUT=d3.js "-DFILES=a.js;b.js" -P join_d3.cmake: one module of several scripts, each of
# which adds its functions to the global d3, in the order in which they need each other.

set(text "")
foreach(file IN LISTS FILES)
  file(READ "${file}" script)
  string(APPEND text "${script}\n")
endforeach()
string(APPEND text "export default globalThis.d3;\n")
file(WRITE "${OUT}.new" "${text}")
file(RENAME "${OUT}.new" "${OUT}")

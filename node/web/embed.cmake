# cmake -DOUT=files.c "-DFILES=a.html;b.js" -P embed.cmake: writes web_file_get of web.h, over the
# bytes of FILES, which stand next to this script.

function(content_type file out)
  if(file MATCHES "\\.html$")
    set(${out} "text/html; charset=utf-8" PARENT_SCOPE)
  elseif(file MATCHES "\\.js$")
    set(${out} "text/javascript; charset=utf-8" PARENT_SCOPE)
  elseif(file MATCHES "\\.css$")
    set(${out} "text/css; charset=utf-8" PARENT_SCOPE)
  elseif(file MATCHES "\\.svg$")
    set(${out} "image/svg+xml" PARENT_SCOPE)
  else()
    message(FATAL_ERROR "embed.cmake: no content type for ${file}")
  endif()
endfunction()

set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS FILES)
  file(READ "${CMAKE_CURRENT_LIST_DIR}/${file}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  content_type("${file}" type)
  set(path "/${file}")
  if(file STREQUAL "index.html")
    set(path "/")
  endif()
  string(APPEND arrays "static const uint8_t bytes_${count}[] = {\n${bytes}};\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", bytes_${count}, sizeof(bytes_${count})},\n")
  math(EXPR count "${count} + 1")
endforeach()

file(WRITE "${OUT}.new" "// Made by node/web/embed.cmake.
#include \"node/web/web.h\"

${arrays}
static const struct web_file files[] = {
${rows}};

const struct web_file *web_file_get(size_t i)
{
    return i < sizeof(files) / sizeof(files[0]) ? &files[i] : NULL;
}
")
file(RENAME "${OUT}.new" "${OUT}")

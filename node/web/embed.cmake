# cmake -DOUT=files.c "-DFILES=/a.html;/b.js" -P embed.cmake: writes web_file_get of web.h, over the
# bytes of FILES and the same compressed.

function(content_type file out)
  if(file MATCHES "\\.html$")
    set(${out} "text/html; charset=utf-8" PARENT_SCOPE)
  elseif(file MATCHES "\\.js$")
    set(${out} "text/javascript; charset=utf-8" PARENT_SCOPE)
  elseif(file MATCHES "\\.css$")
    set(${out} "text/css; charset=utf-8" PARENT_SCOPE)
  elseif(file MATCHES "\\.json$")
    set(${out} "application/json" PARENT_SCOPE)
  elseif(file MATCHES "\\.svg$")
    set(${out} "image/svg+xml" PARENT_SCOPE)
  else()
    message(FATAL_ERROR "embed.cmake: no content type for ${file}")
  endif()
endfunction()

function(array_of file name out)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  set(${out} "static const uint8_t ${name}[] = {\n${bytes}};\n" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  set(packed "${OUT}.gz")
  # The time 0 makes every build write the same bytes.
  file(ARCHIVE_CREATE OUTPUT "${packed}" PATHS "${file}" FORMAT raw COMPRESSION GZip
    COMPRESSION_LEVEL 9 MTIME 0)
  array_of("${file}" bytes_${count} plain)
  array_of("${packed}" packed_${count} gzip)
  content_type("${file}" type)
  set(path "/${name}")
  if(name STREQUAL "index.html")
    set(path "/")
  elseif(name STREQUAL "openapi.json")
    set(path "/api/v1/${name}")
  endif()
  string(APPEND arrays "${plain}${gzip}")
  string(APPEND rows "    {\"${path}\", \"${type}\", bytes_${count}, sizeof(bytes_${count}), "
    "packed_${count}, sizeof(packed_${count})},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(REMOVE "${packed}")

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

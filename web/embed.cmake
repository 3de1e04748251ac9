# cmake -DGZIP=program -DLIST=file -DDIR=folder -P embed.cmake: writes DIR/docs_assets.c, which holds every asset of LIST, plain and
# gzipped, for core/api/docs.c. LIST sets `assets` to entries "NAME|CONTENT TYPE|FILE".
include("${LIST}")
file(MAKE_DIRECTORY "${DIR}/docs_assets")
set(blobs "")
set(table "")
set(number 0)
foreach(asset IN LISTS assets)
  string(REGEX MATCH "^([^|]*)\\|([^|]*)\\|(.*)$" asset "${asset}")
  set(name "${CMAKE_MATCH_1}")
  set(type "${CMAKE_MATCH_2}")
  set(file "${CMAKE_MATCH_3}")
  set(packed "${DIR}/docs_assets/${name}.gz")
  # -n: no time and no name in it, so that the same sources make the same program.
  execute_process(COMMAND "${GZIP}" -9 -n -c "${file}" OUTPUT_FILE "${packed}" COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 "${file}" hash)
  string(SUBSTRING "${hash}" 0 16 hash)
  string(APPEND blobs "EMBED(plain_${number}, \"${file}\")\nEMBED(gzip_${number}, \"${packed}\")\n")
  string(APPEND table "\t{\"${name}\", \"${type}\", \"W/\\\"${hash}\\\"\", pep_docs_plain_${number}, pep_docs_plain_${number}_end, "
                      "pep_docs_gzip_${number}, pep_docs_gzip_${number}_end},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${DIR}/docs_assets.c" "/* Made by web/embed.cmake. */
#include \"core/api/docs.h\"

#define EMBED(name, file) \\
\t__asm__(\".pushsection .rodata\\n\" \\
\t\t\".balign 16\\n\" \\
\t\t\".globl pep_docs_\" #name \"\\n.hidden pep_docs_\" #name \"\\npep_docs_\" #name \":\\n\" \\
\t\t\".incbin \\\"\" file \"\\\"\\n\" \\
\t\t\".globl pep_docs_\" #name \"_end\\n.hidden pep_docs_\" #name \"_end\\npep_docs_\" #name \"_end:\\n\" \\
\t\t\".byte 0\\n.popsection\"); \\
\textern const unsigned char pep_docs_##name[], pep_docs_##name##_end[];

${blobs}
const struct docs_asset docs_assets[] = {
${table}\t{0},
};
")

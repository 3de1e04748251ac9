# cmake -DGZIP=program -DLIST=file -DDIR=folder -P embed.cmake: writes DIR/assets.c, which holds every asset of LIST, plain and
# gzipped, for core/api/assets.c. LIST sets `assets` to entries "PATH|CONTENT TYPE|FILE".
include("${LIST}")
file(MAKE_DIRECTORY "${DIR}/assets")
set(blobs "")
set(table "")
set(number 0)
foreach(asset IN LISTS assets)
  string(REGEX MATCH "^([^|]*)\\|([^|]*)\\|(.*)$" asset "${asset}")
  set(path "${CMAKE_MATCH_1}")
  set(type "${CMAKE_MATCH_2}")
  set(file "${CMAKE_MATCH_3}")
  set(packed "${DIR}/assets/${number}.gz")
  # -n: no time and no name in it, so that the same sources make the same program.
  execute_process(COMMAND "${GZIP}" -9 -n -c "${file}" OUTPUT_FILE "${packed}" COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 "${file}" hash)
  string(SUBSTRING "${hash}" 0 16 hash)
  string(APPEND blobs "EMBED(plain_${number}, \"${file}\")\nEMBED(gzip_${number}, \"${packed}\")\n")
  string(APPEND table "\t{\"${path}\", \"${type}\", \"W/\\\"${hash}\\\"\", pep_asset_plain_${number}, pep_asset_plain_${number}_end, "
                      "pep_asset_gzip_${number}, pep_asset_gzip_${number}_end},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${DIR}/assets.c" "/* Made by web/embed.cmake. */
#include \"core/api/assets.h\"

#define EMBED(name, file) \\
\t__asm__(\".pushsection .rodata\\n\" \\
\t\t\".balign 16\\n\" \\
\t\t\".globl pep_asset_\" #name \"\\n.hidden pep_asset_\" #name \"\\npep_asset_\" #name \":\\n\" \\
\t\t\".incbin \\\"\" file \"\\\"\\n\" \\
\t\t\".globl pep_asset_\" #name \"_end\\n.hidden pep_asset_\" #name \"_end\\npep_asset_\" #name \"_end:\\n\" \\
\t\t\".byte 0\\n.popsection\"); \\
\textern const unsigned char pep_asset_##name[], pep_asset_##name##_end[];

${blobs}
const struct asset assets[] = {
${table}\t{0},
};
")

# PEP_SANITIZE=address,undefined or thread: for every target.
set(PEP_SANITIZE "" CACHE STRING "Sanitizers to build with")
if(PEP_SANITIZE)
  add_compile_options(-fsanitize=${PEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PEP_SANITIZE})
endif()

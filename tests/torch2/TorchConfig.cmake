# The package Torch of a wheel of PyPI, for processors alone: TORCH_FOLDER is the folder of Python's package torch. The
# wheel's own TorchConfig.cmake wants nvcc and every library of CUDA.
set(TORCH_INSTALL_PREFIX ${TORCH_FOLDER})
set(TORCH_INCLUDE_DIRS ${TORCH_FOLDER}/include ${TORCH_FOLDER}/include/torch/csrc/api/include)
foreach(name torch_cpu c10)
    add_library(${name} SHARED IMPORTED)
    set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${TORCH_FOLDER}/lib/lib${name}.so)
endforeach()
add_library(torch INTERFACE IMPORTED)
target_include_directories(torch INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(torch INTERFACE torch_cpu c10)

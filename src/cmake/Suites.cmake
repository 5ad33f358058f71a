# discover_suites(TARGET [EXCEPT PATTERN]): each suite of a GoogleTest program is a test of CTest, in one process; the
# start of a sanitized process costs more than most single tests do. PATTERN is one of --gtest_filter and leaves tests out.
# The program is asked for its suites whenever it was built.
if(CMAKE_SCRIPT_MODE_FILE)
    execute_process(COMMAND ${PROGRAM} --gtest_list_tests --gtest_filter=-${EXCEPT} OUTPUT_VARIABLE lines
                    COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[^\n]+" lines "${lines}")
    set(tests)
    foreach(line IN LISTS lines)
        if(line MATCHES "^([^ ]+)\\.( |$)")
            string(APPEND tests "add_test([=[${CMAKE_MATCH_1}]=] [=[${PROGRAM}]=] [=[--gtest_filter=${CMAKE_MATCH_1}.*-${EXCEPT}]=])\n")
        endif()
    endforeach()
    file(WRITE ${OUTPUT} "${tests}")
    return()
endif()

function(discover_suites target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXCEPT" "")
    set(list ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM BYPRODUCTS ${list}
                       COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> "-DEXCEPT=${arg_EXCEPT}" -DOUTPUT=${list}
                               -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE})
    set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
    file(WRITE ${include} "if(EXISTS [=[${list}]=])\n    include([=[${list}]=])\nelse()\n    add_test(${target}_not_built false)\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()

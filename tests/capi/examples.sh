#!/usr/bin/env bash
# Writes the examples in the head comment of c.h and in modelseal-c(3) as sources, so that they cannot drift.
#   tests/capi/examples.sh HEADER PAGE HEADER_EXAMPLE.c PAGE_EXAMPLE.c
set -euo pipefail
{
    printf '#include <stdio.h>\n\n#include <modelseal/c.h>\n\nvoid header_example(void);\nvoid header_example(void) {\n'
    sed -n '/^#ifndef/q; s/^ \*     //p' "$1"
    printf '}\n'
} >"$3"
sed -n '/^\.Bd -literal/,/^\.Ed/{/^\.[BE]d/d; s/\\e/\\/g; p}' "$2" >"$4"

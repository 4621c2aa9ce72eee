// What clang's libFuzzer offers beside a main function of its own.

#pragma once

#include <stddef.h>
#include <stdint.h>

/// Runs `run` on one input after another, as the arguments say, and never returns from a find.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *bytes, size_t count));

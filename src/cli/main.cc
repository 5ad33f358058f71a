#include "cli/program.h"

int main(int argc, char** argv) {
    return modelseal::cli::run_program(argc, argv);
}

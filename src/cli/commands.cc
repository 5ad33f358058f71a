#include "cli/commands.h"

namespace modelseal::cli {

void add_all_commands(CLI::App& program, Context& context) {
    add_keygen(program, context);
    add_seal(program, context);
    add_check(program, context);
    add_unseal(program, context);
    add_inspect(program, context);
    add_diff(program, context);
    add_fingerprint(program, context);
    add_challenge(program, context);
    add_sign(program, context);
    add_verify(program, context);
    add_completion(program, context);
}

}  // namespace modelseal::cli

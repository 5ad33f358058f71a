#include "cli/commands/commands.h"
#include "cli/commands/identities.h"

namespace modelseal::cli {

void add_identity(CLI::App& program, Context& context) {
    CLI::App& identity = add_command(
        program, "identity", "Admit users by identity images, and claim a marked model",
        {"modelseal identity embed net.onnx --data cifar10/ --key-images keys/ -k v.key --ledger sales.ledger "
         "-o marked.onnx",
         "modelseal identity issue alice -k v.key --ledger sales.ledger -o alice.png",
         "modelseal identity verify net.onnx --image alice.png --registry users.registry --pub v.pub",
         "modelseal identity claim https://host/v2/models/net --ledger sales.ledger"});
    identity.require_subcommand(1);
    add_identity_embed(identity, context);
    add_identity_issue(identity, context);
    add_identity_verify(identity, context);
    add_identity_claim(identity, context);
    add_identity_export(identity, context);
    add_identity_revoke(identity, context);
}

}  // namespace modelseal::cli

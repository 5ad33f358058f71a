#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/ledger_option.h"
#include "cli/options/outputs.h"
#include "cli/options/secrets.h"
#include "cli/options/values.h"
#include "cli/terminal/answer.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct SealFlags {
    std::string model, key, out, customer, parent, parent_vendor, receipt, passphrase_file, ledger;
    std::string scheme = "modelseal";
    std::vector<std::string> stamp;
    bool reseal = false, json = false;
};

Result<void> guard_sealed(const SealFlags& flags) {
    const std::vector<std::string> inputs = {flags.model,  flags.key,           flags.customer,
                                             flags.parent, flags.parent_vendor, flags.passphrase_file,
                                             flags.ledger};
    MODELSEAL_TRY(refuse_overwriting(flags.out, inputs));
    MODELSEAL_TRY(refuse_overwriting(flags.receipt, inputs));
    return refuse_same_output(flags.receipt, {flags.out});
}

Result<ExitCode> run(const SealFlags& flags, Context& context) {
    MODELSEAL_TRY(guard_sealed(flags));
    MODELSEAL_TRY_ASSIGN(auto stamp, key_values(flags.stamp, "--stamp"));
    MODELSEAL_TRY_ASSIGN(const auto key, signing_key_from(flags.key, flags.passphrase_file, KeyUse::seals,
                                                          context.terminal));
    MODELSEAL_TRY_ASSIGN(auto recipient, recipient_of(flags.customer, flags.ledger, key));
    SealOptions options{.key = key, .check = recipient.check, .stamp = std::move(stamp)};
    options.ledger = recipient.ledger_if_given();
    if (!flags.parent.empty()) options.parent = flags.parent;
    if (!flags.parent_vendor.empty()) {
        MODELSEAL_TRY_ASSIGN(options.parent_vendor, public_key_from(flags.parent_vendor, KeyUse::seals));
    }
    if (!flags.receipt.empty()) options.receipt = flags.receipt;
    options.scheme = flags.scheme == "deepisign" ? Scheme::deepisign : Scheme::modelseal;
    options.reseal = flags.reseal;
    options.jobs = context.jobs;
    const auto progress = context.progress({"sealing", flags.model});
    options.progress = progress.get();
    MODELSEAL_TRY_ASSIGN(const auto summary, seal_model(flags.model, flags.out, options));
    report::Sealing sealing{.model = flags.model,
                            .out = flags.out,
                            .scheme = options.scheme,
                            .vendor_key = to_hex(key.public_key().id())};
    if (!flags.receipt.empty()) sealing.receipt = flags.receipt;
    if (!flags.json) {
        for (const auto& warning : summary.warnings) context.terminal.warning(warning);
    }
    if (flags.json || !context.terminal.quiet()) {
        print_answer(context.terminal, {.json = flags.json}, summary, sealing);
    }
    return ExitCode::done;
}

void add_lineage_options(CLI::App& command, SealFlags& flags) {
    command.add_option("--parent", flags.parent, "sealed model that this one was derived from")
        ->type_name("SEALED");
    command
        .add_option("--parent-pub", flags.parent_vendor,
                    "public key of the parent's seal, if it is another key")
        ->type_name("NAME.pub")
        ->needs("--parent");
    command.add_flag("--reseal", flags.reseal, "put a new seal over an old one");
    command
        .add_option("--scheme", flags.scheme,
                    "deepisign is the published scheme, for comparison (default: modelseal)")
        ->type_name("modelseal|deepisign")
        ->check(CLI::IsMember({"modelseal", "deepisign"}));
}

}  // namespace

void add_seal(CLI::App& program, Context& context) {
    auto flags = std::make_shared<SealFlags>();
    auto& command = add_command(program, "seal", "Seal a model with a signed mark that any change breaks",
                                {"modelseal seal net.onnx -k vendor.key -o sealed.onnx --stamp version=1.0",
                                 "modelseal seal model/ -k vendor.key -o sealed/ --for acme.check"});
    command.add_option("MODEL", flags->model, "model file, or folder of shards")->required();
    command
        .add_option("-k,--key", flags->key, "vendor's secret key (Ed25519 or P-256): a file, or a PKCS#11 URI")
        ->required()
        ->type_name("NAME.key");
    command.add_option("-o,--output", flags->out, "write the sealed copy here")->required()->type_name("OUT");
    add_list(command, "--stamp", flags->stamp, "fact to sign; repeatable", "KEY=VALUE");
    command
        .add_option("--for", flags->customer,
                    "seal for this customer alone: a check key, or with --ledger a name in it")
        ->type_name("CUSTOMER.check");
    add_ledger_option(command, flags->ledger, "record the seal in this ledger");
    command.add_option("--receipt", flags->receipt, "keep what 'unseal' needs in this file; secret")
        ->type_name("FILE");
    command.add_flag("--json", flags->json, "print JSON (schema modelseal-seal/1)");
    add_passphrase_option(command, flags->passphrase_file);
    command.option_defaults()->group("derived models and other schemes");
    add_lineage_options(command, *flags);
    on_run(command, context, [flags](Context& running) { return run(*flags, running); });
}

}  // namespace modelseal::cli

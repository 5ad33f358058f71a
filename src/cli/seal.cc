#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/key_values.h"
#include "cli/ledger_option.h"
#include "cli/outputs.h"
#include "cli/passphrase.h"
#include "util/text.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct SealFlags {
    std::string model, key, out, customer, parent, parent_vendor, receipt, passphrase_file, ledger;
    std::string scheme = "modelseal";
    std::vector<std::string> stamp;
    bool reseal = false;
};

std::string summary_text(const SealFlags& options, const SealSummary& summary, const Context& context) {
    const auto name = util::printable(options.out);
    auto text = fmt::format("{} {}\n", context.terminal.paint(Tone::good, "sealed"), name);
    text += fmt::format("  {} tensors, {} elements, {} bytes of {}\n", summary.tensors, summary.elements,
                        summary.bytes, summary.format);
    const auto share = summary.elements == 0 ? 0.0
                                             : 100.0 * static_cast<double>(summary.touched) /
                                                   static_cast<double>(summary.elements);
    text +=
        fmt::format("  {} weights touched ({:.2f} %), in {} cells\n", summary.touched, share, summary.cells);
    for (const auto& [key, value] : summary.stamp) {
        text += fmt::format("  {}: {}\n", util::printable(key), util::printable(value));
    }
    if (!summary.root.empty()) text += fmt::format("  root: {}\n", summary.root);
    for (const auto& [path, what] : summary.left_out) {
        text += fmt::format("  left out: {} ({})\n", util::printable(path), what);
    }
    return text;
}

Result<ExitCode> run(const SealFlags& options, Context& context) {
    const std::vector<std::string> inputs = {options.model,  options.key,           options.customer,
                                             options.parent, options.parent_vendor, options.passphrase_file,
                                             options.ledger};
    MODELSEAL_TRY(refuse_overwriting(options.out, inputs));
    MODELSEAL_TRY(refuse_overwriting(options.receipt, inputs));
    MODELSEAL_TRY(refuse_overwriting(options.receipt, {options.out}));
    MODELSEAL_TRY_ASSIGN(auto stamp, key_values(options.stamp, "--stamp"));
    MODELSEAL_TRY_ASSIGN(const auto key,
                         load_signing_key(options.key, passphrase_from(options.passphrase_file)));
    MODELSEAL_TRY_ASSIGN(auto recipient, recipient_of(options.customer, options.ledger, key));
    const auto progress = context.progress("sealing " + options.model);
    SealOptions wanted{.key = key, .check = recipient.check, .stamp = std::move(stamp)};
    wanted.ledger = recipient.book();
    if (!options.parent.empty()) wanted.parent = options.parent;
    if (!options.parent_vendor.empty()) {
        MODELSEAL_TRY_ASSIGN(wanted.parent_vendor, load_public_key(options.parent_vendor));
    }
    if (!options.receipt.empty()) wanted.receipt = options.receipt;
    wanted.scheme = options.scheme == "deepisign" ? Scheme::deepisign : Scheme::modelseal;
    wanted.reseal = options.reseal;
    wanted.jobs = context.jobs;
    wanted.progress = progress.get();
    MODELSEAL_TRY_ASSIGN(const auto summary, seal_model(options.model, options.out, wanted));
    for (const auto& warning : summary.warnings) context.terminal.warning(warning);
    if (!context.terminal.quiet()) context.terminal.print(summary_text(options, summary, context));
    return ExitCode::done;
}

}  // namespace

void add_seal(CLI::App& program, Context& context) {
    auto options = std::make_shared<SealFlags>();
    auto& command = add_command(program, "seal", "embeds a signed fragile mark in the weights of a model");
    command.add_option("MODEL", options->model, "model file, or folder of shards")->required();
    command
        .add_option("-k,--key", options->key,
                    "the vendor's key that signs, Ed25519 or P-256: a file, or a PKCS#11 URI")
        ->required()
        ->type_name("NAME.key");
    command.add_option("-o,--output", options->out, "where the sealed copy goes")->required()->type_name("OUT");
    add_list(command, "--stamp", options->stamp, "fact to sign; repeatable", "KEY=VALUE");
    command
        .add_option("--for", options->customer,
                    "only this customer's check key finds the seal; with --ledger, a name in it will do")
        ->type_name("CUSTOMER.check");
    add_ledger_option(command, options->ledger, "record what was sealed, when and for whom in this ledger");
    command.add_option("--parent", options->parent, "sealed model that this one was derived from")
        ->type_name("SEALED");
    command
        .add_option("--parent-pub", options->parent_vendor,
                    "whose seal it has, if it is of another key than this one")
        ->type_name("NAME.pub")
        ->needs("--parent");
    command.add_option("--receipt", options->receipt, "keeps what 'unseal' needs; secret")->type_name("FILE");
    command.add_option("--scheme", options->scheme, "modelseal, or the published deepisign for comparison")
        ->type_name("modelseal|deepisign")
        ->check(CLI::IsMember({"modelseal", "deepisign"}));
    command.add_flag("--reseal", options->reseal, "put a new seal over an old one");
    add_passphrase_option(command, options->passphrase_file);
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/outputs.h"
#include "cli/options/secrets.h"
#include "cli/options/values.h"
#include "cli/terminal/answer.h"
#include "jobs/check/nearby.h"
#include "jobs/intact_root.h"
#include "jobs/signed_files.h"
#include "util/text.h"
#include <modelseal/inspect.h>
#include <modelseal/oms.h>

namespace modelseal::cli {
namespace {

struct SignFlags {
    std::string path, key, certificate, passphrase_file, vendor_key, fingerprint;
    std::string out, hash = "sha256", reuse, cache, device = "auto";
    std::vector<std::string> chain, ignore;
    std::string shard_size;
    bool no_ignore_git_paths = false, allow_symlinks = false, base_name = false, component_order = false;
    bool sharded_algorithm = false, no_tensors = false, json = false;
};

// The root of the seal in the model, which must be intact, so that no changed model is signed.
Result<std::string> seal_root(const SignFlags& options, const Context& context) {
    if (options.vendor_key.empty()) return std::string();
    MODELSEAL_TRY_ASSIGN(const auto vendor, public_key_from(options.vendor_key, KeyUse::seals));
    const auto key = public_check_key(vendor);
    MODELSEAL_TRY_ASSIGN(auto root, jobs::intact_root(options.path, {&key, 1}, context.jobs, options.device));
    if (root) return std::move(*root);
    return Error{ErrorKind::mismatch, util::printable(options.path) + ": no seal under this vendor's key",
                 "seal the model first, or sign it without --seal-pub"};
}

Result<std::string> fingerprint_id(const SignFlags& options) {
    if (options.fingerprint.empty()) return std::string();
    MODELSEAL_TRY_ASSIGN(const auto inspection, inspect(options.fingerprint, {}));
    for (const auto& fact : inspection.facts) {
        const auto* id = std::get_if<std::string>(&fact.value);
        if (inspection.kind == "fingerprint" && fact.key == "id" && id != nullptr) return *id;
    }
    return Error{ErrorKind::unsupported, util::printable(options.fingerprint) + ": not a fingerprint", {}};
}

Result<SignOptions> sign_options(const SignFlags& options, Context& context, Progress* progress) {
    MODELSEAL_TRY_ASSIGN(auto key, signing_key_from(options.key, options.passphrase_file,
                                                    KeyUse::file_signatures, context.terminal));
    MODELSEAL_TRY(jobs::refuse_signature_of_others(options.out, options.path, key.public_key()));
    SignOptions out{.key = std::move(key),
                    .certificate = options.certificate,
                    .chain = options.chain,
                    .signature = options.out,
                    .ignore_git_paths = !options.no_ignore_git_paths,
                    .allow_symlinks = options.allow_symlinks,
                    .blake2b = options.hash == "blake2b",
                    .sharded_algorithm = options.sharded_algorithm,
                    .base_name = options.base_name,
                    .component_order = options.component_order,
                    .tensors = !options.no_tensors,
                    .jobs = context.jobs,
                    .progress = progress};
    out.ignore.assign(options.ignore.begin(), options.ignore.end());
    MODELSEAL_TRY_ASSIGN(const auto shard_size, byte_count(options.shard_size, "--shard-size"));
    if (shard_size) out.shard_size = *shard_size;
    MODELSEAL_TRY_ASSIGN(out.seal_root, seal_root(options, context));
    MODELSEAL_TRY_ASSIGN(out.fingerprint, fingerprint_id(options));
    return out;
}

Result<ExitCode> run(SignFlags options, Context& context) {
    if (options.out.empty()) options.out = jobs::usual_signature_of(options.path).string();
    MODELSEAL_TRY(refuse_overwriting(options.out, {options.path, options.key, options.certificate,
                                                   options.vendor_key, options.fingerprint, options.cache}));
    MODELSEAL_TRY(refuse_overwriting(options.out, options.chain));
    MODELSEAL_TRY(refuse_other_content(options.out, OutputKind::signature));
    const auto progress = context.progress({"signing", options.path});
    MODELSEAL_TRY_ASSIGN(const auto how, sign_options(options, context, progress.get()));
    MODELSEAL_TRY_ASSIGN(const auto summary,
                         options.cache.empty()
                             ? sign_model(options.path, how)
                             : jobs::sign_with_cache(options.path, how, options.cache, options.reuse));
    if (!options.json) {
        for (const auto& warning : summary.warnings) context.terminal.warning(warning);
    }
    if (options.json || !context.terminal.quiet()) {
        print_answer(context.terminal, {.json = options.json}, summary, options.path, options.out);
    }
    return ExitCode::done;
}

void add_file_options(CLI::App& command, SignFlags& flags) {
    add_list(command, "--ignore", flags.ignore, "leave out this file or folder; repeatable", "PATH");
    command.add_flag("--no-ignore-git-paths", flags.no_ignore_git_paths,
                     "sign the files of Git at the top of the model as well");
    command.add_flag("--allow-symlinks", flags.allow_symlinks, "sign the targets of symbolic links");
    command.add_flag("--no-tensors", flags.no_tensors, "leave out the digests of single tensors");
    command.add_option("--cache", flags.cache, "keep how the files are, for --reuse at the next signature")
        ->type_name("FILE");
    command
        .add_option("--reuse", flags.reuse,
                    "do not read files that are unchanged since this signature; needs --cache")
        ->type_name("OLD.sig")
        ->needs("--cache");
}

void add_form_options(CLI::App& command, SignFlags& flags) {
    command.add_option("--hash", flags.hash, "hash function: sha256 or blake2b (default: sha256)")
        ->type_name("HASH")
        ->check(CLI::IsMember({"sha256", "blake2b"}));
    command
        .add_option("--shard-size", flags.shard_size,
                    "one digest per shard of this size, as 64MiB (default: one per file)")
        ->type_name("BYTES");
    command.add_flag(
        "--sharded-algorithm", flags.sharded_algorithm,
        "name the hash of shards as release 1.1.1 of the reference does, which refuses other names");
    command.add_flag(
        "--base-name", flags.base_name,
        "name a single file as the specification states, which release 1.1.1 of the reference refuses");
    command.add_flag("--component-order", flags.component_order,
                     "list files in the order of the reference, for the root digest that it prints");
}

}  // namespace

void add_sign(CLI::App& program, Context& context) {
    auto flags = std::make_shared<SignFlags>();
    auto& command = add_command(program, "sign", "Sign a model with an OpenSSF model signature",
                                {"modelseal sign model/ -k signer.key",
                                 "modelseal sign sealed.onnx -k signer.key --seal-pub vendor.pub"});
    command.add_option("PATH", flags->path, "model file or folder")->required();
    command
        .add_option("-k,--key", flags->key,
                    "signer's secret key (P-256, P-384 or P-521): a file, or a PKCS#11 URI")
        ->required()
        ->type_name("EC.key");
    command.add_option("--cert", flags->certificate, "certificate of the key, to sign with")->type_name("PEM");
    add_list(command, "--cert-chain", flags->chain,
             "certificates of its authorities, nearest first; repeatable", "PEM");
    command.add_option("-o,--output", flags->out, "write the signature here (default: next to the model)")
        ->type_name("SIG");
    command
        .add_option("--seal-pub", flags->vendor_key,
                    "record the root of the seal, after checking it with this key")
        ->type_name("NAME.pub");
    add_device_option(command, flags->device, "device that hashes weights for --seal-pub");
    command.get_option("--device")->needs("--seal-pub");
    command.add_option("--fingerprint", flags->fingerprint, "record the id of this fingerprint of the model")
        ->type_name("FP");
    command.add_flag("--json", flags->json, "print JSON (schema modelseal-sign/1)");
    add_passphrase_option(command, flags->passphrase_file);
    command.option_defaults()->group("files to sign");
    add_file_options(command, *flags);
    command.option_defaults()->group("form of the signature");
    add_form_options(command, *flags);
    on_run(command, context, [flags](Context& running) { return run(*flags, running); });
}

}  // namespace modelseal::cli

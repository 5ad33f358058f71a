#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/ledger_option.h"
#include "cli/options/links_option.h"
#include "cli/options/outputs.h"
#include "cli/options/remedies.h"
#include "cli/options/secrets.h"
#include "cli/options/values.h"
#include "cli/terminal/answer.h"
#include "io/file.h"
#include "report/failure.h"
#include "report/words.h"
#include "util/text.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct SealFlags {
    std::vector<std::string> models, stamp;
    std::string key, out, customer, parent, parent_vendor, receipt, passphrase_file, ledger;
    std::string scheme = "modelseal", device = "auto";
    Links links = Links::refused;
    bool reseal = false, json = false;
};

std::string on_one_line(const std::string& json) {
    return nlohmann::ordered_json::parse(json).dump(-1, ' ', true);
}

// One model, and where its sealed copy and receipt go.
struct SealJob {
    std::string model, out, receipt;
};

// Of several models each goes into the folder OUT under its own name, and so does its receipt.
Result<std::vector<SealJob>> seal_jobs(const SealFlags& flags) {
    if (flags.models.size() == 1) return std::vector<SealJob>{{flags.models[0], flags.out, flags.receipt}};
    std::vector<SealJob> jobs;
    std::set<std::string> names;
    for (const auto& folder : {flags.out, flags.receipt}) {
        std::error_code failed;
        if (folder.empty() || folder.ends_with('/') || std::filesystem::is_directory(folder, failed)) continue;
        return Error{ErrorKind::usage,
                     util::printable(folder) + ": is not a folder, and several models are given",
                     "give a folder, with a slash at its end if it is to be made"};
    }
    for (const auto& model : flags.models) {
        auto path = std::filesystem::path(model).lexically_normal();
        if (!path.has_filename()) path = path.parent_path();
        const auto name = path.filename().string();
        if (!names.insert(name).second) {
            return Error{ErrorKind::usage, fmt::format("two models have the name '{}'", util::printable(name)),
                         "seal them one by one"};
        }
        jobs.push_back({model, (std::filesystem::path(flags.out) / name).string(),
                        flags.receipt.empty()
                            ? std::string()
                            : (std::filesystem::path(flags.receipt) / (name + ".receipt")).string()});
    }
    return jobs;
}

Result<void> make_folder(const std::string& folder) {
    std::error_code failed;
    if (!folder.empty()) std::filesystem::create_directory(folder, failed);
    return failed ? io::os_error(failed.value(), folder, "write") : Result<void>();
}

Result<void> guard_sealed(const SealFlags& flags, const std::vector<SealJob>& jobs) {
    auto inputs = flags.models;
    for (const auto& other :
         {flags.key, flags.customer, flags.parent, flags.parent_vendor, flags.passphrase_file, flags.ledger})
        inputs.push_back(other);
    for (const auto& job : jobs) {
        MODELSEAL_TRY(refuse_overwriting(job.out, inputs));
        MODELSEAL_TRY(refuse_overwriting(job.receipt, inputs));
        MODELSEAL_TRY(refuse_same_output(job.receipt, {job.out}));
    }
    return {};
}

Result<void> seal_one(const SealFlags& flags, const SealJob& job, SealOptions options, Task task,
                      Context& context) {
    if (!job.receipt.empty()) options.receipt = job.receipt;
    const auto progress = context.progress(std::move(task));
    options.progress = progress.get();
    MODELSEAL_TRY_ASSIGN(const auto summary, seal_model(job.model, job.out, options));
    report::Sealing sealing{.model = job.model,
                            .out = job.out,
                            .scheme = options.scheme,
                            .vendor_key = to_hex(options.key.public_key().id())};
    if (!job.receipt.empty()) sealing.receipt = job.receipt;
    if (!flags.json) {
        for (const auto& warning : summary.warnings) context.terminal.warning(warning);
    }
    if (flags.json && flags.models.size() > 1) {
        context.terminal.print_data(on_one_line(report::to_json(summary, sealing)));
    } else if (flags.json || !context.terminal.quiet()) {
        print_answer(context.terminal, {.json = flags.json}, summary, sealing);
    }
    context.terminal.flush();
    return {};
}

// Each is sealed whatever becomes of the others.
ExitCode seal_each(const SealFlags& flags, const std::vector<SealJob>& jobs, const SealOptions& options,
                   Context& context) {
    auto code = ExitCode::done;
    std::size_t failed = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto done =
            seal_one(flags, jobs[i], options, {"sealing", jobs[i].model, i + 1, jobs.size()}, context);
        if (done.ok()) continue;
        ++failed;
        code = worst(code, exit_code(done.error().kind));
        auto error = done.error();
        error.hint = hint_of(error);
        if (flags.json)
            context.terminal.print_data(on_one_line(report::to_json("seal", error, exit_code(error.kind))));
        context.terminal.error(done.error());
    }
    if (!flags.json && !context.terminal.quiet()) {
        context.terminal.print(fmt::format("{} sealed{}", report::counted(jobs.size() - failed, "model"),
                                           failed > 0 ? fmt::format(", {} not", failed) : std::string()));
    }
    return code;
}

Result<ExitCode> run(const SealFlags& flags, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto jobs, seal_jobs(flags));
    const bool several = jobs.size() > 1;
    if (several) MODELSEAL_TRY(make_folder(flags.out));
    if (several) MODELSEAL_TRY(make_folder(flags.receipt));
    MODELSEAL_TRY(guard_sealed(flags, jobs));
    MODELSEAL_TRY_ASSIGN(auto stamp, key_values(flags.stamp, "--stamp"));
    MODELSEAL_TRY_ASSIGN(const auto key,
                         signing_key_from(flags.key, flags.passphrase_file, KeyUse::seals, context.terminal));
    MODELSEAL_TRY_ASSIGN(auto recipient, recipient_of(flags.customer, flags.ledger, key));
    SealOptions options{.key = key, .check = recipient.check, .stamp = std::move(stamp)};
    options.ledger = recipient.ledger_if_given();
    if (!flags.parent.empty()) options.parent = flags.parent;
    if (!flags.parent_vendor.empty()) {
        MODELSEAL_TRY_ASSIGN(options.parent_vendor, public_key_from(flags.parent_vendor, KeyUse::seals));
    }
    options.scheme = flags.scheme == "deepisign" ? Scheme::deepisign : Scheme::modelseal;
    options.reseal = flags.reseal;
    options.limits.links = flags.links;
    options.jobs = context.jobs;
    options.device = flags.device;
    if (several) return seal_each(flags, jobs, options, context);
    MODELSEAL_TRY(seal_one(flags, jobs[0], options, {"sealing", jobs[0].model}, context));
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
                                 "modelseal seal model/ -k vendor.key -o sealed/ --for acme.check",
                                 "modelseal seal a.onnx b.onnx -k vendor.key -o sealed/"});
    command.add_option("MODEL", flags->models, "model file, or folder of shards")->required();
    command
        .add_option("-k,--key", flags->key, "vendor's secret key (Ed25519 or P-256): a file, or a PKCS#11 URI")
        ->required()
        ->type_name("NAME.key");
    command
        .add_option("-o,--output", flags->out,
                    "write the sealed copy here; of several models, into this folder")
        ->required()
        ->type_name("OUT");
    add_list(command, "--stamp", flags->stamp, "fact to sign; repeatable", "KEY=VALUE");
    command
        .add_option("--for", flags->customer,
                    "seal for this customer alone: a check key, or with --ledger a name in it")
        ->type_name("CUSTOMER.check");
    add_ledger_option(command, flags->ledger, "record the seal in this ledger");
    command
        .add_option("--receipt", flags->receipt,
                    "keep what 'unseal' needs in this file; secret; of several models, a folder")
        ->type_name("FILE");
    add_links_option(command, flags->links);
    add_device_option(command, flags->device, "device that hashes weights");
    command.add_flag("--json", flags->json,
                     "print JSON (schema modelseal-seal/1); of several models, a line each");
    add_passphrase_option(command, flags->passphrase_file);
    command.option_defaults()->group("derived models and other schemes");
    add_lineage_options(command, *flags);
    on_run(command, context, [flags](Context& running) { return run(*flags, running); });
}

}  // namespace modelseal::cli

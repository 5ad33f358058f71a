#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "cli/commands/hooks.h"
#include "cli/options/values.h"
#include "hook/oci/names.h"
#include "hook/oci/service.h"
#include "io/threads.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

struct OciFlags {
    std::string listen, registry, policy, queue, secret, netrc, ca, scratch;
    std::string audit = "-", on_deny = "quarantine", quarantine = "quarantine", max_bytes = "200GiB";
    std::uint64_t queue_limit = 100'000;
    unsigned attempts = 10, stall = 60;
    bool no_report = false;
};

// "127.0.0.1:8080", "[::1]:8080".
Result<void> set_address(const std::string& text, hook::ReceiverOptions& options) {
    const auto colon = text.rfind(':');
    const auto* end = text.data() + text.size();
    if (colon != std::string::npos && colon > 0) {
        const auto [stop, code] = std::from_chars(text.data() + colon + 1, end, options.port);
        options.address = text.substr(0, colon);
        if (options.address.starts_with('[') && options.address.ends_with(']'))
            options.address = options.address.substr(1, options.address.size() - 2);
        if (code == std::errc() && stop == end && !options.address.empty()) return {};
    }
    return Error{ErrorKind::usage,
                 fmt::format("--listen: '{}' is not an address and a port", util::printable(text)),
                 "give one such as 127.0.0.1:8080 or [::1]:8080"};
}

bool is_this_machine(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

Result<void> set_paths(const OciFlags& flags, hook::ServiceOptions& options) {
    MODELSEAL_TRY_ASSIGN(options.policy, hook_policy_file(flags.policy));
    options.queue = flags.queue;
    options.scratch = flags.scratch;
    options.audit = flags.audit;
    const char* const netrc = std::getenv("NETRC");
    options.client.netrc = flags.netrc.empty() && netrc != nullptr ? netrc : flags.netrc;
    options.client.ca_file = flags.ca;
    options.client.stall = std::chrono::seconds(flags.stall);
    // A layer of hundreds of gigabytes takes hours; one that stands still does not get them.
    options.client.total = std::chrono::hours(24);
    return {};
}

Result<void> set_effects(const OciFlags& flags, hook::EffectOptions& effects) {
    using hook::OnDeny;
    effects.on_deny = flags.on_deny == "delete" ? OnDeny::remove
                      : flags.on_deny == "none" ? OnDeny::nothing
                                                : OnDeny::quarantine;
    effects.quarantine = flags.quarantine;
    effects.attach = !flags.no_report;
    if (hook::is_repository(flags.quarantine)) return {};
    return Error{ErrorKind::usage, "--quarantine: not the name of a repository",
                 "it has lower-case letters, digits and single '.', '_', '-' and '/' between them"};
}

Result<hook::ServiceOptions> service_options(const OciFlags& flags, Context& context) {
    hook::ServiceOptions options;
    MODELSEAL_TRY(set_address(flags.listen, options.receiver));
    auto registry = http::Url::parse(flags.registry);
    if (!registry.ok()) return Error{ErrorKind::usage, "--registry: " + registry.error().message, {}};
    options.registry = *registry;
    MODELSEAL_TRY(set_paths(flags, options));
    MODELSEAL_TRY(set_effects(flags, options.effects));
    if (!flags.secret.empty()) {
        MODELSEAL_TRY_ASSIGN(options.secret, hook::read_secret(flags.secret));
    } else if (!is_this_machine(options.receiver.address)) {
        return Error{ErrorKind::usage, "--listen: other machines could send notifications without a secret",
                     "give one with --secret-file FILE, or listen on 127.0.0.1"};
    }
    MODELSEAL_TRY_ASSIGN(const auto most, byte_count(flags.max_bytes, "--max-bytes"));
    if (most) options.limits.bytes = *most;
    options.queue_limit = flags.queue_limit;
    options.attempts = flags.attempts;
    options.workers = context.jobs == 0 ? io::default_jobs() : context.jobs;
    // The service logs one line at a time, and until it is stopped nothing else prints.
    options.log = [&context](const std::string& line) { context.terminal.warning(line); };
    return options;
}

// Blocked before any thread starts, so that they come to wait_for_signal() alone.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

Result<ExitCode> run_oci(const OciFlags& flags, Context& context) {
    const auto signals = block_signals();
    MODELSEAL_TRY_ASSIGN(auto options, service_options(flags, context));
    MODELSEAL_TRY_ASSIGN(const auto service, hook::Service::start(std::move(options)));
    context.terminal.print(fmt::format("listening on port {}", service->port()));
    context.terminal.flush();
    const timespec second{1, 0};
    while (sigtimedwait(&signals, nullptr, &second) < 0) service->look();
    // A second signal ends the process at once; the queue is made for that.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    service->stop();
    return ExitCode::done;
}

void add_oci_store_options(CLI::App& command, OciFlags& flags) {
    command.add_option("--queue", flags.queue, "database of uploads that are not done; made if there is none")
        ->type_name("FILE")
        ->required();
    command.add_option("--queue-limit", flags.queue_limit, "most uploads that wait (default: 100000)")
        ->type_name("N")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}));
    command.add_option("--audit", flags.audit, "append decisions to this file (default: -, standard error)")
        ->type_name("FILE");
    command.add_option("--scratch", flags.scratch, "folder for the files of uploads (default: QUEUE.files)")
        ->type_name("DIR");
    command
        .add_option("--max-bytes", flags.max_bytes,
                    "most bytes of an upload, packed and unpacked (default: 200GiB)")
        ->type_name("SIZE");
    command
        .add_option("--attempts", flags.attempts,
                    "deny an upload that failed to be checked so often (default: 10)")
        ->type_name("N")
        ->check(CLI::Range(1u, 1000u));
}

void add_oci_registry_options(CLI::App& command, OciFlags& flags) {
    command.add_option("--registry", flags.registry, "address of the registry")->type_name("URL")->required();
    command
        .add_option("--netrc", flags.netrc, "file of logins by host (default: the environment variable NETRC)")
        ->type_name("FILE");
    command.add_option("--ca", flags.ca, "trust these certificates instead of those of the system")
        ->type_name("FILE");
    command
        .add_option("--stall", flags.stall, "give up a transfer that stands still for so long (default: 60)")
        ->type_name("SECONDS")
        ->check(CLI::Range(1u, 86'400u));
    command.add_option("--on-deny", flags.on_deny, "what to do with a denied upload (default: quarantine)")
        ->type_name("quarantine|delete|none")
        ->check(CLI::IsMember({"quarantine", "delete", "none"}));
    command
        .add_option("--quarantine", flags.quarantine, "repositories of the quarantine (default: quarantine)")
        ->type_name("PREFIX");
    command.add_flag("--no-report", flags.no_report, "do not attach reports to what was checked");
}

}  // namespace

void add_hook_oci(CLI::App& hook, Context& context) {
    const auto flags = std::make_shared<OciFlags>();
    auto& command = add_command(hook, "oci", "Check what is pushed to an OCI registry, by its notifications",
                                {"modelseal hook oci --listen 127.0.0.1:8080 --registry "
                                 "https://registry.example --policy modelseal-policy.toml "
                                 "--queue /var/lib/modelseal/queue.db --secret-file /etc/modelseal/secret"});
    command.add_option("--listen", flags->listen, "address and port for notifications")
        ->type_name("ADDR:PORT")
        ->required();
    command
        .add_option("--policy", flags->policy, "policy (default: the environment variable MODELSEAL_POLICY)")
        ->type_name("FILE");
    command.add_option("--secret-file", flags->secret, "secret that senders of notifications must give")
        ->type_name("FILE");
    add_oci_registry_options(command, *flags);
    add_oci_store_options(command, *flags);
    on_run(command, context, [flags](Context& running) { return run_oci(*flags, running); });
}

}  // namespace modelseal::cli


#include "cli/options/endpoint_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/options/secrets.h"
#include "crypto/secret.h"
#include "http/header_file.h"
#include "io/file.h"
#include "oracle/credentials.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

std::string complaint(const std::string& text) {
    constexpr std::string_view kNumbered = "cuda:";
    if (text == "auto" || text == "cpu" || text == "cuda") return {};
    const bool numbered = text.starts_with(kNumbered) && text.size() > kNumbered.size() &&
                          text.size() <= kNumbered.size() + 3 &&
                          text.find_first_not_of("0123456789", kNumbered.size()) == std::string::npos;
    return numbered ? std::string() : "'" + text + "' is not one of auto, cpu, cuda and cuda:N";
}

constexpr std::uint64_t kMostToken = 64u << 10, kMostPem = 4u << 20;

Result<std::string> token_of(const EndpointFlags& flags) {
    std::string token;
    if (!flags.token_file.empty()) {
        MODELSEAL_TRY_ASSIGN(token, io::read_text(flags.token_file, kMostToken));
        while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
    } else if (auto given = environment_secret(kTokenVariable)) {
        token = std::move(*given);
        if (token.empty()) return token;
    } else {
        return token;
    }
    if (oracle::is_bearer_token(token)) return token;
    return Error{ErrorKind::usage,
                 fmt::format("{}: is not a bearer token, one line of letters, digits and -._~+/=",
                             flags.token_file.empty() ? "MODELSEAL_TOKEN" : util::printable(flags.token_file)),
                 {}};
}

// A header on the command line would be seen by every user of the machine.
Result<http::Fields> headers_of(const std::string& file) {
    if (file.empty()) return http::Fields{};
    auto fields = http::read_header_file(file);
    if (fields.ok() || fields.error().kind != ErrorKind::unreadable || file.find(':') == std::string::npos)
        return fields;
    return Error{ErrorKind::usage, "--header takes a file, and no such file exists",
                 "write the header fields to a file, one a line, because others can read a command line"};
}

Result<std::string> client_passphrase(const std::string& cert, const std::string& key) {
    const auto& file = key.empty() ? cert : key;
    if (file.empty()) return std::string();
    if (cert.empty()) return Error{ErrorKind::usage, "--client-key has no effect without --client-cert", {}};
    MODELSEAL_TRY_ASSIGN(auto pem, io::read_text(file, kMostPem));
    const crypto::WipeAtEnd wiped(pem);
    if (pem.find("PRIVATE KEY-----") == std::string::npos) {
        return Error{ErrorKind::usage, util::printable(file) + ": contains no private key in PEM",
                     "give the key of the client certificate with --client-key PEM"};
    }
    const bool encrypted = pem.find("ENCRYPTED") != std::string::npos;
    return encrypted ? passphrase_from({})(file) : std::string();
}

}  // namespace

void add_server_options(CLI::App& command, EndpointFlags& flags) {
    command
        .add_option("--token-file", flags.token_file,
                    "send the bearer token in this file (default: MODELSEAL_TOKEN)")
        ->type_name("FILE");
    command
        .add_option("--header", flags.header_file,
                    "send the header fields in this file, one NAME: VALUE a line, Host too")
        ->type_name("FILE");
    command.add_option("--ca", flags.ca, "trust these certificates instead of those of the system")
        ->type_name("FILE");
    command
        .add_option("--client-cert", flags.client_cert,
                    "show this certificate, with its authorities, to a server that asks for one")
        ->type_name("PEM");
    command
        .add_option("--client-key", flags.client_key,
                    "key of that certificate (default: in the certificate's file)")
        ->type_name("PEM");
    command.add_option("--timeout", flags.timeout, "time limit of a request (default: 30)")
        ->type_name("SECONDS")
        ->check(CLI::Range(1u, 86400u));
    command
        .add_option("--max-seconds", flags.max_seconds,
                    "time limit of a check, with retries and pauses (default: 600)")
        ->type_name("SECONDS")
        ->check(CLI::Range(1u, 604800u));
    command
        .add_option("--retries", flags.retries, "repeat a failed request that may succeed later (default: 4)")
        ->type_name("N")
        ->check(CLI::Range(0u, 100u));
}

void add_endpoint_options(CLI::App& command, EndpointFlags& flags, const char* output) {
    add_server_options(command, flags);
    command.add_option("--batch", flags.batch, "inputs per request (default: determined by trying)")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20));
    command
        .add_option("--tensors", flags.tensors,
                    "encoding of numbers for an Open Inference endpoint (default: auto)")
        ->type_name("auto|json|binary")
        ->check(CLI::IsMember({"auto", "json", "binary"}));
    command.add_option(output, flags.output, "name of the output, if the model has several")->type_name("NAME");
}

std::vector<OptionRule> endpoint_rules(const std::vector<const char*>& asking, const char* output) {
    std::vector<OptionRule> rules;
    for (const auto* option : {"--token-file", "--header", "--ca", "--client-cert", "--client-key", "--retries",
                               "--tensors", output}) {
        rules.push_back({option, asking, &TargetUses::http});
    }
    rules.push_back({"--client-key", {"--client-cert"}});
    rules.push_back({"--timeout", asking, &TargetUses::served});
    return rules;
}

Result<EndpointOptions> endpoint_options(const EndpointFlags& flags, const std::vector<std::string>& targets,
                                         Terminal& terminal) {
    EndpointOptions options{.ca_file = flags.ca,
                            .client_cert = flags.client_cert,
                            .client_key = flags.client_key,
                            .timeout_s = flags.timeout,
                            .max_seconds = flags.max_seconds,
                            .retries = flags.retries,
                            .batch = flags.batch,
                            .output = flags.output};
    MODELSEAL_TRY_ASSIGN(options.token, token_of(flags));
    MODELSEAL_TRY_ASSIGN(options.headers, headers_of(flags.header_file));
    MODELSEAL_TRY_ASSIGN(options.client_key_passphrase, client_passphrase(flags.client_cert, flags.client_key));
    if (!options.token.empty()) MODELSEAL_TRY(oracle::may_carry_to_all(targets, "token is"));
    if (!options.headers.empty()) MODELSEAL_TRY(oracle::may_carry_to_all(targets, "header fields are"));
    options.notice = [&terminal](const std::string& line) { terminal.aside(line); };
    using Tensors = EndpointOptions::Tensors;
    options.tensors = flags.tensors == "json"     ? Tensors::json
                      : flags.tensors == "binary" ? Tensors::binary
                                                  : Tensors::automatic;
    return options;
}

void add_device_option(CLI::App& command, std::string& device, const std::string& what) {
    command
        .add_option("--device", device, what + ": cpu, cuda or cuda:N (default: auto, a GPU if there is one)")
        ->type_name("DEVICE")
        ->check(CLI::Validator(complaint, ""));
}

}  // namespace modelseal::cli


#include "cli/options/endpoint_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/options/secrets.h"
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

constexpr std::uint64_t kMostToken = 64u << 10;

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

}  // namespace

void add_endpoint_options(CLI::App& command, EndpointFlags& flags) {
    command
        .add_option("--token-file", flags.token_file,
                    "send the bearer token in this file (default: MODELSEAL_TOKEN)")
        ->type_name("FILE");
    command.add_option("--ca", flags.ca, "trust these certificates instead of those of the system")
        ->type_name("FILE");
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
    command.add_option("--batch", flags.batch, "inputs per request (default: determined by trying)")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20));
    command
        .add_option("--tensors", flags.tensors,
                    "encoding of numbers for an Open Inference endpoint (default: auto)")
        ->type_name("auto|json|binary")
        ->check(CLI::IsMember({"auto", "json", "binary"}));
    command.add_option("--output", flags.output, "name of the output, if the model has several")
        ->type_name("NAME");
}

Result<EndpointOptions> endpoint_options(const EndpointFlags& flags, const std::vector<std::string>& targets) {
    EndpointOptions options{.ca_file = flags.ca,
                            .timeout_s = flags.timeout,
                            .max_seconds = flags.max_seconds,
                            .retries = flags.retries,
                            .batch = flags.batch,
                            .output = flags.output};
    MODELSEAL_TRY_ASSIGN(options.token, token_of(flags));
    if (!options.token.empty()) MODELSEAL_TRY(oracle::may_carry_to_all(targets, "token is"));
    using Tensors = EndpointOptions::Tensors;
    options.tensors = flags.tensors == "json"     ? Tensors::json
                      : flags.tensors == "binary" ? Tensors::binary
                                                  : Tensors::automatic;
    return options;
}

void add_device_option(CLI::App& command, std::string& device) {
    command
        .add_option("--device", device,
                    "device that runs the model: cpu, cuda or cuda:N (default: auto, a GPU if there is one)")
        ->type_name("DEVICE")
        ->check(CLI::Validator(complaint, ""));
}

}  // namespace modelseal::cli

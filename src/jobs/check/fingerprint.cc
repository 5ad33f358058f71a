
#include "jobs/check/fingerprint.h"

#include <ctime>

#include "blackbox/challenge.h"
#include "blackbox/container/container.h"
#include "blackbox/interview.h"
#include "blackbox/method.h"
#include "io/file.h"
#include "oracle/endpoint.h"
#include "oracle/network.h"
#include <modelseal/progress.h>

namespace modelseal::jobs {
namespace {

using blackbox::Fingerprint;

constexpr std::size_t kPreviewed = 8;

// The file is opened with the settings of the recorded answers. An intact seal is the reason to trust it,
// unless it is run whatever its seal is.
Result<blackbox::Replies> ask_file(const model::Model& model, const Fingerprint& print,
                                   const CheckOptions& options, Progress& progress,
                                   std::vector<std::string>& warnings) {
    MODELSEAL_TRY_ASSIGN(
        const auto network,
        oracle::open_network(
            model, {.device = options.fingerprint->device,
                    .threads = options.jobs,
                    .input_name =
                        print.input.shape.name.empty() ? std::nullopt : std::optional(print.input.shape.name),
                    .input_shape =
                        print.input.shape.parts.empty() ? print.input.shape.shape : std::vector<std::int64_t>(),
                    .input_parts = print.input.shape.parts,
                    .max_seconds = options.fingerprint->endpoint.max_seconds,
                    .vouched = options.seal ? oracle::Vouched::seal : oracle::Vouched::nobody}));
    // Its bytes are in the worker now: the checked bytes run.
    MODELSEAL_TRY(model.unchanged());
    warnings = network->warnings();
    const auto wanted = options.fingerprint->endpoint.batch;
    const auto batch = wanted == 0 || print.alone ? print.batch : wanted;
    return blackbox::ask_file(*network, print, batch, progress);
}

Result<blackbox::Replies> ask(const std::string& target, const model::Model* model, const Fingerprint& print,
                              const CheckOptions& options, std::string& who,
                              std::vector<std::string>& warnings) {
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    const auto& check = *options.fingerprint;
    if (check.responses) {
        who = check.responses->string();
        for (const auto& key : check.keys) {
            auto answers = answers_of_responses(print, key, *check.responses);
            if (answers) {
                return blackbox::Replies{.answers = std::move(*answers), .queries = count_inputs(print)};
            }
            if (answers.error().kind != ErrorKind::mismatch || &key == &check.keys.back())
                return answers.error();
        }
    }
    who = target;
    if (model != nullptr) return ask_file(*model, print, options, progress, warnings);
    if (!print.input.shape.parts.empty()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: a service of a network with several inputs cannot be asked", target),
                     "check a file of the model"};
    }
    auto endpoint = check.endpoint;
    if (print.alone) endpoint.batch = 1;
    MODELSEAL_TRY_ASSIGN(const auto oracle, oracle::connect(target, endpoint, blackbox::asked_shape(print)));
    return blackbox::ask_service(*oracle, print, progress);
}

}  // namespace

Result<OpenedFingerprint> open_fingerprint(const FingerprintCheck& check) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    MODELSEAL_TRY_ASSIGN(const auto source, io::FileSource::open(check.file, check.file.string()));
    Error refused;
    for (const auto& key : check.keys) {
        auto print = blackbox::load(*source, key, now);
        if (print) {
            MODELSEAL_TRY_ASSIGN(const auto shown, blackbox::show(*source));
            return OpenedFingerprint{std::move(*print), shown.id, shown.vendor_key};
        }
        refused = print.error();
        if (refused.kind != ErrorKind::mismatch) break;
    }
    return refused;
}

Result<FingerprintFinding> check_fingerprint(const std::string& target, const model::Model* model,
                                             const OpenedFingerprint& opened, const CheckOptions& options) {
    const auto& print = opened.print;
    std::string who;
    std::vector<std::string> warnings;
    MODELSEAL_TRY_ASSIGN(auto replies, ask(target, model, print, options, who, warnings));
    MODELSEAL_TRY_ASSIGN(auto finding, blackbox::method_of(print).judge(print, std::move(replies),
                                                                        options.fingerprint->rung, who));
    finding.id = opened.id;
    finding.vendor_key = opened.vendor_key;
    finding.root = print.root;
    finding.customer = print.customer;
    finding.created = print.created;
    finding.expires = print.expires;
    finding.model = print.model;
    finding.warnings = std::move(warnings);
    finding.preview = blackbox::method_of(print).preview(print, kPreviewed);
    return finding;
}

}  // namespace modelseal::jobs

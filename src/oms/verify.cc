#include "oms/verify.h"

#include <ctime>

#include <fmt/format.h>

#include "io/file.h"
#include "oms/authenticate.h"
#include "oms/compare.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

using SignatureOutcome = SignatureFinding::Outcome;

std::string counted(std::uint64_t count, std::string_view what) {
    return count == 0 ? std::string() : fmt::format("{} {} {}, ", count, count == 1 ? "file" : "files", what);
}

// "2 files changed, 1 file missing"
std::string summary_of(const SignatureFinding& finding) {
    using FileOutcome = SignatureFinding::FileFinding::Outcome;
    std::uint64_t changed = 0, missing = 0, added = 0;
    for (const auto& file : finding.findings) {
        changed += file.outcome == FileOutcome::changed;
        missing += file.outcome == FileOutcome::missing;
        added += file.outcome == FileOutcome::added;
    }
    auto text = counted(changed, "changed") + counted(missing, "missing") + counted(added, "not signed");
    text.resize(text.size() - 2);
    return text;
}

void describe(const Statement& statement, SignatureFinding& finding) {
    finding.model = statement.subject;
    finding.root = to_hex(statement.root);
    finding.serialization = statement.shard_size ? "shards" : "files";
    finding.hash = name_of(statement.hash);
    finding.seal_root = statement.seal_root;
    finding.fingerprint = statement.fingerprint;
}

Result<Bundle> read_bundle(const std::filesystem::path& file) {
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(file, kMaxBundleBytes));
    return parse_bundle(text, util::printable(file.string()));
}

// Nothing of the statement is looked at before its signature was found good.
Result<void> examine(const std::filesystem::path& path, const VerifyOptions& options, const SharedFiles* shared,
                     SignatureFinding& finding) {
    const auto shown = util::printable(options.signature.string());
    MODELSEAL_TRY_ASSIGN(const auto bundle, read_bundle(options.signature));
    finding.method = name_of(bundle.method);
    MODELSEAL_TRY_ASSIGN(const auto signer, authenticate(bundle, options, std::time(nullptr), shown));
    finding.signer = signer.name;
    finding.timestamp = signer.timestamp;
    MODELSEAL_TRY_ASSIGN(const auto statement, parse_statement(bundle.payload, shown));
    describe(statement, finding);
    MODELSEAL_TRY(compare_files(path, statement, options, shared, finding));
    finding.outcome = finding.findings.empty() ? SignatureOutcome::valid : SignatureOutcome::invalid;
    finding.detail = finding.findings.empty() ? fmt::format("{} {} as signed", finding.files,
                                                            finding.files == 1 ? "file is" : "files are")
                                              : summary_of(finding);
    return {};
}

}  // namespace

Result<SignatureFinding> verify(const std::filesystem::path& path, const VerifyOptions& options,
                                const SharedFiles* shared) {
    SignatureFinding finding;
    auto done = examine(path, options, shared, finding);
    if (done.ok()) return finding;
    // A key file whose passphrase is wrong cannot be met here: all mismatches are the signature's.
    if (done.error().kind != ErrorKind::mismatch) return std::move(done).error();
    finding.outcome = SignatureOutcome::invalid;
    finding.detail = done.error().message;
    finding.hint = done.error().hint;
    return finding;
}

std::optional<Claim> claim_of(const std::filesystem::path& signature) {
    const auto bundle = read_bundle(signature);
    if (!bundle) return std::nullopt;
    const auto statement = parse_statement(bundle->payload, "");
    if (!statement) return std::nullopt;
    return Claim{statement->subject, bundle->method == Bundle::Method::key, bundle->hint};
}

}  // namespace modelseal::oms

namespace modelseal {

Result<SignatureFinding> verify_signature(const std::filesystem::path& path, const VerifyOptions& options) {
    return oms::verify(path, options, nullptr);
}

}  // namespace modelseal

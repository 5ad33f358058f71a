#include <ctime>

#include <fmt/format.h>

#include "formats/reader.h"
#include "io/file.h"
#include "oms/authenticate.h"
#include "oms/compare.h"
#include <modelseal/oms.h>

namespace modelseal {
namespace {

using Outcome = SignatureFinding::Outcome;

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

void describe(const oms::Statement& statement, SignatureFinding& finding) {
    finding.model = statement.subject;
    finding.root = to_hex(statement.root);
    finding.serialization = statement.shard_size ? "shards" : "files";
    finding.hash = oms::name_of(statement.hash);
    finding.seal_root = statement.seal_root;
    finding.fingerprint = statement.fingerprint;
}

// Nothing of the statement is looked at before its signature was found good.
Result<void> examine(const std::filesystem::path& path, const VerifyOptions& options,
                     SignatureFinding& finding) {
    const auto shown = formats::printable(options.signature.string());
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(options.signature, oms::kMaxBundleBytes));
    MODELSEAL_TRY_ASSIGN(const auto bundle, oms::parse_bundle(text, shown));
    finding.method = oms::name_of(bundle.method);
    MODELSEAL_TRY_ASSIGN(const auto signer, oms::authenticate(bundle, options, std::time(nullptr), shown));
    finding.signer = signer.name;
    finding.timestamp = signer.timestamp;
    MODELSEAL_TRY_ASSIGN(const auto statement, oms::parse_statement(bundle.payload, shown));
    describe(statement, finding);
    MODELSEAL_TRY(oms::compare_files(path, statement, options, finding));
    finding.outcome = finding.findings.empty() ? Outcome::valid : Outcome::invalid;
    finding.detail = finding.findings.empty() ? fmt::format("{} {} as signed", finding.files,
                                                            finding.files == 1 ? "file is" : "files are")
                                              : summary_of(finding);
    return {};
}

}  // namespace

Result<SignatureFinding> verify_signature(const std::filesystem::path& path, const VerifyOptions& options) {
    SignatureFinding finding;
    auto done = examine(path, options, finding);
    if (done.ok()) return finding;
    // A key file whose passphrase is wrong cannot be met here: all mismatches are the signature's.
    if (done.error().kind != ErrorKind::mismatch) return std::move(done).error();
    finding.outcome = Outcome::invalid;
    finding.detail = done.error().message;
    finding.hint = done.error().hint;
    return finding;
}

}  // namespace modelseal

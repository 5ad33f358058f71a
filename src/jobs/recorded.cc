#include "jobs/recorded.h"

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::jobs {

Result<void> allow(const Ledger* ledger, const SigningKey& vendor, const CheckKey& check) {
    if (ledger == nullptr) return {};
    if (!ledger->verified() || ledger->vendor() != vendor.public_key()) {
        return Error{
            ErrorKind::mismatch,
            util::printable(ledger->path().string()) + ": opened with a key that is not the signing key",
            {}};
    }
    return ledger->allow(check);
}

Result<void> commit_recorded(Ledger* ledger, LedgerEntry entry, const std::filesystem::path& model,
                             const std::filesystem::path& output, const std::function<Result<void>()>& commit) {
    if (ledger == nullptr) return commit();
    auto named = model.lexically_normal();
    if (!named.has_filename()) named = named.parent_path();
    entry.model = named.filename().string();
    entry.output = output.string();
    auto begun = ledger->begin(std::move(entry));
    if (!begun.ok()) {
        auto error = std::move(begun).error();
        error.message += fmt::format("; {} was not written", util::printable(output.string()));
        return error;
    }
    MODELSEAL_TRY(commit());
    auto finished = ledger->finish(*begun);
    if (finished.ok()) return {};
    auto error = std::move(finished).error();
    error.message += fmt::format("; {} was written, but entry {} of the ledger is not marked as finished",
                                 util::printable(output.string()), *begun);
    return error;
}

}  // namespace modelseal::jobs

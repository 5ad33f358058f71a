// An output that is put down in a ledger: before it appears, so that nothing is ever out in the world which the
// ledger does not know, and once more when it stands.
#pragma once

#include <functional>

#include <modelseal/ledger.h>

namespace modelseal::jobs {

// Early, before the work: the ledger is the vendor's, and something may be made for this customer. `ledger` may
// be null, here and below.
Result<void> allow(const Ledger* ledger, const SigningKey& vendor, const CheckKey& check);

// Runs `commit`, after which `output` exists. An error states whether the output exists and what is recorded.
Result<void> commit_recorded(Ledger* ledger, LedgerEntry entry, const std::filesystem::path& model,
                             const std::filesystem::path& output, const std::function<Result<void>()>& commit);

}  // namespace modelseal::jobs

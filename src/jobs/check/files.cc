#include "jobs/check/files.h"

#include <algorithm>
#include <new>
#include <optional>

#include "baseline/baseline.h"
#include "io/alongside.h"
#include "io/threads.h"
#include "mark/checking/evidence.h"
#include "mark/checking/locate.h"
#include "mark/checking/verdict.h"
#include <modelseal/progress.h>

namespace modelseal::jobs {
namespace {

constexpr const char* kNotFound =
    "no seal under this key: never sealed, sealed with another key, or all marks were overwritten";

bool intact(const std::optional<SealFinding>& finding) {
    return finding && finding->outcome == SealFinding::Outcome::intact;
}

// Whose seal this thread found last, intact: most models of a list are by few vendors.
struct LastVendor {
    PublicKey key;
    std::string customer;
    bool is(const CheckKey& other) const { return other.vendor == key && other.customer == customer; }
};
thread_local std::optional<LastVendor> last_vendor;

// Looks for a seal under one of many keys. A close look for a seal that is not there takes a thousand times as long as a glance
// at a cell of one that is, so all keys get a glance first, and those without a trace of a seal a close look last.
class ManyKeys {
  public:
    ManyKeys(const model::Model& model, const SealSearch& search, Progress& progress)
        : model_(model),
          search_(search),
          progress_(progress),
          block_map_(model.tensors),
          tried_(search.keys.size()) {}

    // The finding that is intact, else the first; which one does not depend on the keys that earlier models had, as one model
    // holds one intact seal.
    Result<std::optional<SealFinding>> find() {
        MODELSEAL_TRY_ASSIGN(auto known, under_last_vendor());
        if (intact(known)) return known;
        // A seal that shows and does not hold may lie under an intact one that takes a longer look to be seen.
        std::optional<SealFinding> first;
        for (const auto sight : {mark::Sight::glance, mark::Sight::short_look}) {
            MODELSEAL_TRY_ASSIGN(auto found, among_those_that_show(sight));
            if (intact(found)) return found;
            if (found && !first) first = std::move(found);
        }
        if (first) return first;
        for (std::size_t i = 0; i < tried_.size(); ++i) {
            if (tried_[i]) continue;
            MODELSEAL_TRY_ASSIGN(auto found, under(i));
            if (found) return found;
        }
        return std::optional<SealFinding>();
    }

    Result<std::optional<SealFinding>> under(std::size_t number) {
        const auto& key = search_.keys[number];
        tried_[number] = true;
        MODELSEAL_TRY_ASSIGN(const auto evidence, mark::gather(model_, key, search_.pass, progress_));
        if (!evidence) return std::optional<SealFinding>();
        auto finding = mark::judge(model_, *evidence, search_.all);
        if (finding.stamp_authentic) finding.vendor_key = to_hex(key.vendor.id());
        if (intact(finding)) last_vendor = {key.vendor, key.customer};
        return std::optional(std::move(finding));
    }

  private:
    Result<bool> shows(std::size_t number, mark::Sight sight) const {
        return mark::shows_seal(model_, block_map_, search_.keys[number].secret.bytes(), sight);
    }

    Result<std::optional<SealFinding>> under_last_vendor() {
        for (std::size_t i = 0; last_vendor && i < search_.keys.size(); ++i) {
            if (!last_vendor->is(search_.keys[i])) continue;
            MODELSEAL_TRY_ASSIGN(const bool shown, shows(i, mark::Sight::glance));
            if (!shown) break;
            MODELSEAL_TRY_ASSIGN(auto found, under(i));
            tried_[i] = false;  // its turn comes, if it is not intact
            return found;
        }
        return std::optional<SealFinding>();
    }

    Result<std::optional<SealFinding>> among_those_that_show(mark::Sight sight) {
        std::optional<SealFinding> first;
        for (std::size_t i = 0; i < tried_.size(); ++i) {
            if (tried_[i]) continue;
            MODELSEAL_TRY_ASSIGN(const bool shown, shows(i, sight));
            if (!shown) continue;
            MODELSEAL_TRY_ASSIGN(auto found, under(i));
            if (intact(found)) return found;
            if (found && !first) first = std::move(found);
        }
        return first;
    }

    const model::Model& model_;
    const SealSearch& search_;
    Progress& progress_;
    const mark::BlockMap block_map_;
    std::vector<bool> tried_;
};

Result<SealFinding> find_seal(const model::Model& model, const SealSearch& search, Progress& progress) {
    ManyKeys keys(model, search, progress);
    MODELSEAL_TRY_ASSIGN(auto found, search.keys.size() == 1 ? keys.under(0) : keys.find());
    return found ? std::move(*found) : SealFinding();
}

}  // namespace

Result<SealFinding> check_seal(const model::Model& model, const SealSearch& search) {
    auto& progress = search.progress != nullptr ? *search.progress : no_progress();
    progress.total(model.bytes());
    MODELSEAL_TRY_ASSIGN(auto finding, find_seal(model, search, progress));
    if (finding.outcome == SealFinding::Outcome::not_found) {
        MODELSEAL_TRY_ASSIGN(finding, baseline::check(model, search.keys, search.all));
    }
    if (finding.outcome == SealFinding::Outcome::not_found) {
        finding.detail = kNotFound;
        // With no more than public keys, a seal for one customer does not show.
        if (std::ranges::all_of(search.keys, [](const CheckKey& key) { return key.customer.empty(); })) {
            finding.hint = "a seal that was made for one customer is found with their check key";
            finding.remedy = Remedy::try_check_key;
        }
    }
    finding.tensors_total = model.tensors.size();
    finding.bytes_total = model.bytes();
    return finding;
}

namespace fs = std::filesystem;

Result<SignatureFinding> check_signature(const fs::path& model, const SignatureCheck& check,
                                         const VerifyOptions& options) {
    try {
        return verify_model(model, check, options);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable, model.string() + ": not enough memory to verify its signature", {}};
    }
}

// Each pass has threads of its own: hashing a file is sequential, so it takes one per file and at most half. What one
// reads from the disk the other finds in the page cache.
SealAndSignature check_both(const std::filesystem::path& path, const model::Model& model,
                            const SealSearch& search, const SignatureCheck& signature) {
    const auto jobs = search.pass.jobs == 0 ? io::default_jobs() : search.pass.jobs;
    const auto hashing =
        static_cast<unsigned>(std::clamp<std::size_t>(model.files.size(), 1, std::max(1u, jobs / 2)));
    auto scanning = search;
    scanning.pass.jobs = std::max(1u, jobs - hashing);
    std::optional<Result<SignatureFinding>> verified;
    auto other = io::alongside(
        [&] { verified = check_signature(path, signature, {.jobs = hashing, .limits = model.limits}); });
    auto seal = check_seal(model, scanning);
    other.get();
    return {std::move(seal), std::move(*verified)};
}

}  // namespace modelseal::jobs

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "capi/objects.h"
#include "hash/cards.h"
#include "jobs/check/loaded.h"
#include "policy/decide.h"
#include "report/inspection.h"
#include "report/report.h"
#include "report/summaries.h"
#include "util/text.h"
#include <modelseal/c.h>
#include <modelseal/check.h>
#include <modelseal/inspect.h>
#include <modelseal/oms.h>
#include <modelseal/seal.h>

namespace modelseal::capi {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

// Calls back for each thousandth of the job at most, and never from two threads at once.
class CallbackProgress final : public Progress {
  public:
    CallbackProgress(modelseal_progress_fn callback, void* user) : callback_(callback), user_(user) {}

    void total(std::uint64_t bytes) override {
        total_ = bytes;
        step_ = bytes / 1000 + 1;
        report();
    }
    void advance(std::uint64_t bytes) override {
        const auto before = done_.fetch_add(bytes);
        const auto now = before + bytes;
        if (now / step_ != before / step_ || now == total_) report();
    }

  private:
    // The count is read under the lock, so that a later call never has a smaller one.
    void report() {
        const std::lock_guard lock(calling_);
        callback_(done_, total_, user_);
    }

    const modelseal_progress_fn callback_;
    void* const user_;
    std::mutex calling_;
    std::atomic<std::uint64_t> done_ = 0, total_ = 0, step_ = 1;
};

// Lends a callback's Progress for one job; none without a callback.
class LentProgress {
  public:
    LentProgress(modelseal_progress_fn callback, void* user) {
        if (callback != nullptr) progress_.emplace(callback, user);
    }
    Progress* get() { return progress_ ? &*progress_ : nullptr; }

  private:
    std::optional<CallbackProgress> progress_;
};

// A copy of the caller's structure in the size that is known here: what the caller's version lacks is zero.
template <class Options>
Result<Options> options_of(const Options* given, const char* call) {
    Options options{};
    if (given == nullptr) return options;
    const auto size = given->struct_size;
    if (size < sizeof size || size > sizeof options) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: the options have a struct_size of {} bytes, this library knows {}", call,
                                 size, sizeof options),
                     "set them up with the _INIT macro of a header that is not newer than the library"};
    }
    std::memcpy(&options, given, size);
    return options;
}

Result<Facts> facts_of(const modelseal_fact* facts, std::size_t count, const char* call, const char* name) {
    Facts out;
    if (count > 0) MODELSEAL_TRY(must_be_there(facts, call, name));
    for (std::size_t i = 0; i < count; ++i) {
        MODELSEAL_TRY(must_be_there(facts[i].key, call, "key of a fact"));
        MODELSEAL_TRY(must_be_there(facts[i].value, call, "value of a fact"));
        out.emplace_back(facts[i].key, facts[i].value);
    }
    return out;
}

Result<std::vector<CheckKey>> keys_of(const modelseal_check_key* const* keys, std::size_t count,
                                      const char* call) {
    std::vector<CheckKey> out;
    if (count > 0) MODELSEAL_TRY(must_be_there(keys, call, "keys"));
    for (std::size_t i = 0; i < count; ++i) {
        MODELSEAL_TRY(must_be_there(keys[i], call, "key"));
        out.push_back(keys[i]->key);
    }
    return out;
}

std::string text_or_empty(const char* text) {
    return text != nullptr ? text : "";
}

char* copy_of(const std::string& text) {
    auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

// A report of a check that could not be made is handed out as well, and its error returned.
Result<void> hand_out(CheckReport report, modelseal_report** out) {
    auto object = std::make_unique<modelseal_report>();
    object->json = report::to_json({&report, 1}, true);
    object->text = report::to_text(report, {});
    object->report = std::move(report);
    *out = object.release();
    const auto& made = (*out)->report;
    if (made.verdict != Verdict::error) return {};
    return Error{made.error_kind, made.error, made.hint};
}

Result<SignatureCheck> signature_check(const modelseal_verify_options& given) {
    constexpr auto call = "modelseal_verify";
    SignatureCheck out{.subject = text_or_empty(given.subject),
                       .trusted_root = text_or_empty(given.trusted_root),
                       .identity = text_or_empty(given.identity),
                       .issuer = text_or_empty(given.issuer),
                       .ignore_unsigned_files = given.ignore_unsigned_files != 0};
    if (given.signer_count > 0) MODELSEAL_TRY(must_be_there(given.signers, call, "signers"));
    for (std::size_t i = 0; i < given.signer_count; ++i) {
        MODELSEAL_TRY(must_be_there(given.signers[i], call, "signer"));
        out.public_keys.push_back(given.signers[i]->key);
    }
    if (given.anchor_count > 0) MODELSEAL_TRY(must_be_there(given.anchors, call, "anchors"));
    for (std::size_t i = 0; i < given.anchor_count; ++i) {
        MODELSEAL_TRY(must_be_there(given.anchors[i], call, "anchor"));
        out.anchors.emplace_back(given.anchors[i]);
    }
    if (!out.public_keys.empty() || !out.anchors.empty() || !out.trusted_root.empty()) return out;
    return Error{ErrorKind::usage, "no key, certificate or trusted root to verify the signature with", {}};
}

Result<modelseal_check_options> check_options_of(const modelseal_check_options* options, const char* call) {
    MODELSEAL_TRY(must_be_there(options, call, "options"));
    return options_of(options, call);
}

Result<CheckOptions> seal_check(const modelseal_check_options& given, const char* call) {
    MODELSEAL_TRY_ASSIGN(auto keys, keys_of(given.keys, given.key_count, call));
    if (keys.empty()) return Error{ErrorKind::usage, "no key to check with", {}};
    CheckOptions wanted{.seal = SealCheck{.keys = std::move(keys), .all = given.all != 0},
                        .policy = {.weights_only = given.weights_only != 0},
                        .jobs = given.jobs};
    if (given.device != nullptr) wanted.device = given.device;
    MODELSEAL_TRY_ASSIGN(wanted.policy.stamp, facts_of(given.expect, given.expect_count, call, "expect"));
    return wanted;
}

Result<std::vector<jobs::LoadedTensor>> loaded_tensors(const modelseal_loaded_tensor* tensors,
                                                       std::size_t count, const char* call) {
    std::vector<jobs::LoadedTensor> loaded;
    if (count > 0) MODELSEAL_TRY(must_be_there(tensors, call, "tensors"));
    for (std::size_t i = 0; i < count; ++i) {
        MODELSEAL_TRY(must_be_there(tensors[i].name, call, "name of a tensor"));
        if (tensors[i].bytes != 0) MODELSEAL_TRY(must_be_there(tensors[i].memory, call, "memory of a tensor"));
        loaded.push_back({tensors[i].name, tensors[i].memory, tensors[i].bytes});
    }
    return loaded;
}

}  // namespace
}  // namespace modelseal::capi

using namespace modelseal;
using namespace modelseal::capi;

extern "C" {

modelseal_status modelseal_seal(const char* model, const char* out, const modelseal_signing_key* key,
                                const modelseal_seal_options* options, char** summary,
                                modelseal_error** error) {
    constexpr auto call = "modelseal_seal";
    clear(summary);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(model, call, "model"));
        MODELSEAL_TRY(must_be_there(out, call, "out"));
        MODELSEAL_TRY(must_be_there(key, call, "key"));
        MODELSEAL_TRY_ASSIGN(const auto given, options_of(options, call));
        const auto check =
            given.check_key != nullptr ? given.check_key->key : public_check_key(key->key.public_key());
        LentProgress progress(given.progress, given.progress_user);
        SealOptions wanted{.key = key->key, .check = check};
        MODELSEAL_TRY_ASSIGN(wanted.stamp, facts_of(given.stamp, given.stamp_count, call, "stamp"));
        if (given.parent != nullptr) wanted.parent = given.parent;
        if (given.receipt != nullptr) wanted.receipt = given.receipt;
        wanted.reseal = given.reseal != 0;
        wanted.jobs = given.jobs;
        wanted.progress = progress.get();
        if (given.device != nullptr) wanted.device = given.device;
        MODELSEAL_TRY_ASSIGN(const auto made, seal_model(model, out, wanted));
        report::Sealing sealing{.model = model, .out = out, .vendor_key = to_hex(key->key.public_key().id())};
        if (given.receipt != nullptr) sealing.receipt = given.receipt;
        if (summary != nullptr) *summary = copy_of(report::to_json(made, sealing));
        return {};
    });
}

modelseal_status modelseal_check(const char* model, const modelseal_check_options* options,
                                 modelseal_report** report, modelseal_error** error) {
    constexpr auto call = "modelseal_check";
    clear(report);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(model, call, "model"));
        MODELSEAL_TRY(must_be_there(report, call, "report"));
        MODELSEAL_TRY_ASSIGN(const auto given, check_options_of(options, call));
        LentProgress progress(given.progress, given.progress_user);
        MODELSEAL_TRY_ASSIGN(auto wanted, seal_check(given, call));
        wanted.progress = progress.get();
        auto made = check_model(model, wanted);
        return hand_out(made.ok() ? std::move(made).value() : policy::report_of(model, made.error()), report);
    });
}

modelseal_status modelseal_check_loaded(const char* model, int card, const modelseal_loaded_tensor* tensors,
                                        size_t count, const modelseal_check_options* options,
                                        modelseal_report** report, modelseal_error** error) {
    constexpr auto call = "modelseal_check_loaded";
    clear(report);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(model, call, "model"));
        MODELSEAL_TRY(must_be_there(report, call, "report"));
        MODELSEAL_TRY_ASSIGN(const auto given, check_options_of(options, call));
        LentProgress progress(given.progress, given.progress_user);
        MODELSEAL_TRY_ASSIGN(auto wanted, seal_check(given, call));
        wanted.progress = progress.get();
        MODELSEAL_TRY_ASSIGN(const auto loaded, loaded_tensors(tensors, count, call));
        const auto& cards = hash::installed_cards();
        if (!cards.ok()) return cards.error();
        if (card < 0 || card >= cards->count()) {
            return Error{ErrorKind::unsupported, fmt::format("{}: the card {} is not there", call, card), {}};
        }
        auto made = jobs::check_loaded(model, *cards, card, loaded, wanted);
        if (!made.ok() && made.error().kind == ErrorKind::usage) return made.error();
        return hand_out(made.ok() ? std::move(made).value() : policy::report_of(model, made.error()), report);
    });
}

modelseal_status modelseal_verify(const char* model, const char* signature,
                                  const modelseal_verify_options* options, modelseal_report** report,
                                  modelseal_error** error) {
    constexpr auto call = "modelseal_verify";
    clear(report);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(model, call, "model"));
        MODELSEAL_TRY(must_be_there(signature, call, "signature"));
        MODELSEAL_TRY(must_be_there(report, call, "report"));
        MODELSEAL_TRY(must_be_there(options, call, "options"));
        MODELSEAL_TRY_ASSIGN(const auto given, options_of(options, call));
        MODELSEAL_TRY_ASSIGN(auto wanted, signature_check(given));
        LentProgress progress(given.progress, given.progress_user);
        wanted.signature = signature;
        const VerifyOptions effort{.jobs = given.jobs, .progress = progress.get()};
        const CheckPolicy policy{.expected = {.signature = true}};
        const policy::Findings found{.signature = verify_model(model, wanted, effort)};
        return hand_out(policy::report_of(model, found, policy, policy::decide(found, policy)), report);
    });
}

modelseal_status modelseal_inspect(const char* path, const modelseal_check_key* const* keys, size_t key_count,
                                   char** json, modelseal_error** error) {
    constexpr auto call = "modelseal_inspect";
    clear(json);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(path, call, "path"));
        MODELSEAL_TRY(must_be_there(json, call, "json"));
        MODELSEAL_TRY_ASSIGN(const auto looked_for, keys_of(keys, key_count, call));
        MODELSEAL_TRY_ASSIGN(const auto found, inspect(path, {.keys = looked_for}));
        *json = copy_of(report::to_json(found));
        return {};
    });
}

}  // extern "C"

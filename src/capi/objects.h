// What the handles of the C interface hold, and the guard that every call of it runs in.
#pragma once

#include <new>
#include <string>

#include <modelseal/c.h>
#include <modelseal/keys.h>
#include <modelseal/report.h>
#include <modelseal/result.h>

struct modelseal_error {
    modelseal_status kind = MODELSEAL_INTERNAL;
    std::string message, hint;
};

struct modelseal_public_key {
    modelseal::PublicKey key;
};

struct modelseal_signing_key {
    modelseal::SigningKey key;
};

struct modelseal_check_key {
    modelseal::CheckKey key;
};

struct modelseal_report {
    modelseal::CheckReport report;
    std::string json, text;
};

namespace modelseal::capi {

// Both hand out an error object, if the caller wants one, and return its kind. The one for want of memory takes none.
modelseal_status fail(modelseal_error** error, const Error& why);
modelseal_status fail_without_memory(modelseal_error** error) noexcept;
modelseal_status fail_by_exception(modelseal_error** error, const char* what) noexcept;

// Runs `work`, which returns Result<void>: nothing that it throws comes through.
template <class Work>
modelseal_status guarded(modelseal_error** error, const Work& work) noexcept {
    if (error != nullptr) *error = nullptr;
    try {
        const Result<void> done = work();
        return done.ok() ? MODELSEAL_OK : fail(error, done.error());
    } catch (const std::bad_alloc&) {
        return fail_without_memory(error);
    } catch (const std::exception& thrown) {
        return fail_by_exception(error, thrown.what());
    } catch (...) {
        return fail_by_exception(error, "unknown exception");
    }
}

// ErrorKind::usage if `argument` is null: "modelseal_check: 'model' is NULL".
Result<void> must_be_there(const void* argument, const char* call, const char* name);

// Sets an output to NULL, where there is one.
template <class T>
void clear(T** out) noexcept {
    if (out != nullptr) *out = nullptr;
}

}  // namespace modelseal::capi

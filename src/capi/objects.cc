#include "capi/objects.h"

#include <cstdlib>
#include <exception>

#include <fmt/format.h>

namespace modelseal::capi {
namespace {

modelseal_status status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return MODELSEAL_USAGE;
        case ErrorKind::unreadable:
            return MODELSEAL_UNREADABLE;
        case ErrorKind::malformed:
            return MODELSEAL_MALFORMED;
        case ErrorKind::unsupported:
            return MODELSEAL_UNSUPPORTED;
        case ErrorKind::mismatch:
            return MODELSEAL_MISMATCH;
        case ErrorKind::internal:
            break;
    }
    return MODELSEAL_INTERNAL;
}

// Short enough to lie in the object itself, so that making it takes no memory either.
modelseal_error without_memory{MODELSEAL_NO_MEMORY, "out of memory", ""};

}  // namespace

modelseal_status fail(modelseal_error** error, const Error& why) {
    const auto kind = status_of(why.kind);
    if (error != nullptr) *error = new modelseal_error{kind, why.message, why.hint};
    return kind;
}

modelseal_status fail_without_memory(modelseal_error** error) noexcept {
    if (error != nullptr) *error = &without_memory;
    return MODELSEAL_NO_MEMORY;
}

modelseal_status fail_by_exception(modelseal_error** error, const char* what) noexcept {
    try {
        return fail(error, {ErrorKind::internal, what, {}});
    } catch (...) {
        return fail_without_memory(error);
    }
}

Result<void> must_be_there(const void* argument, const char* call, const char* name) {
    if (argument != nullptr) return {};
    return Error{ErrorKind::usage, fmt::format("{}: '{}' is NULL", call, name), {}};
}

}  // namespace modelseal::capi

extern "C" {

const char* modelseal_version(void) {
    return MODELSEAL_VERSION;
}

modelseal_status modelseal_error_kind(const modelseal_error* error) {
    return error != nullptr ? error->kind : MODELSEAL_OK;
}

const char* modelseal_error_message(const modelseal_error* error) {
    return error != nullptr ? error->message.c_str() : "";
}

const char* modelseal_error_hint(const modelseal_error* error) {
    return error != nullptr ? error->hint.c_str() : "";
}

void modelseal_error_free(modelseal_error* error) {
    if (error != &modelseal::capi::without_memory) delete error;
}

modelseal_verdict modelseal_report_verdict(const modelseal_report* report) {
    if (report == nullptr) return MODELSEAL_VERDICT_ERROR;
    switch (report->report.verdict) {
        case modelseal::Verdict::intact:
            return MODELSEAL_VERDICT_INTACT;
        case modelseal::Verdict::tampered:
            return MODELSEAL_VERDICT_TAMPERED;
        case modelseal::Verdict::unexpected:
            return MODELSEAL_VERDICT_UNEXPECTED;
        case modelseal::Verdict::unsealed:
            return MODELSEAL_VERDICT_UNSEALED;
        case modelseal::Verdict::error:
        case modelseal::Verdict::partial:  // no option of this interface asks for a part
            break;
    }
    return MODELSEAL_VERDICT_ERROR;
}

int modelseal_report_exit_code(const modelseal_report* report) {
    return static_cast<int>(report != nullptr ? report->report.exit_code : modelseal::ExitCode::failed);
}

const char* modelseal_report_json(const modelseal_report* report) {
    return report != nullptr ? report->json.c_str() : "";
}

const char* modelseal_report_text(const modelseal_report* report) {
    return report != nullptr ? report->text.c_str() : "";
}

void modelseal_report_free(modelseal_report* report) {
    delete report;
}

void modelseal_string_free(char* text) {
    std::free(text);
}

}  // extern "C"

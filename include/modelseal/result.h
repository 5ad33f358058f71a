// Result<T>: the value, or the reason why there is none. Whatever a file, a disk or a caller's input can cause
// is returned as an Error; exceptions are left to our own mistakes. A Result cannot be dropped ([[nodiscard]]).
//
// Thread safety: a Result is a plain value; distinct objects may be used from distinct threads.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace modelseal {

// Few kinds, chosen by what the caller would do next.
enum class ErrorKind {
    usage,        // the caller asked for something that makes no sense
    unreadable,   // the operating system said no: missing file, no permission, no space, changed under way
    malformed,    // the bytes break the rules of their format
    unsupported,  // the bytes may be fine, but this library does not handle them
    mismatch,     // everything was readable, and it does not match: wrong key, wrong passphrase, forged
    internal,     // our own bug; a fuzz target asserts that it never appears
};

struct Error {
    ErrorKind kind = ErrorKind::internal;
    // What, where, how much: "model.onnx: tensor 'w1': needs 16 bytes at 0x40, file has 12".
    std::string message;
    std::string hint;  // what the user probably wanted, or empty
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    // Precondition of value(): ok(). Precondition of error(): !ok(). Broken preconditions throw
    // std::bad_variant_access.
    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }
    const Error& error() const& { return error_.value(); }
    Error&& error() && { return std::move(error_).value(); }

  private:
    std::optional<Error> error_;
};

}  // namespace modelseal

// Passes an Error on to the caller: MODELSEAL_TRY(call()); or MODELSEAL_TRY_ASSIGN(auto x, call());
#define MODELSEAL_CONCAT_INNER(a, b) a##b
#define MODELSEAL_CONCAT(a, b) MODELSEAL_CONCAT_INNER(a, b)
#define MODELSEAL_TRY(expression)                                                       \
    do {                                                                                \
        auto modelseal_try_result = (expression);                                       \
        if (!modelseal_try_result.ok()) return std::move(modelseal_try_result).error(); \
    } while (false)
#define MODELSEAL_TRY_ASSIGN(declaration, expression) \
    MODELSEAL_TRY_ASSIGN_INNER(MODELSEAL_CONCAT(modelseal_result_, __LINE__), declaration, expression)
#define MODELSEAL_TRY_ASSIGN_INNER(name, declaration, expression) \
    auto name = (expression);                                     \
    if (!name.ok()) return std::move(name).error();               \
    declaration = std::move(name).value()

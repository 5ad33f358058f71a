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

// What would help, for a program that words it in terms of its own options and commands: the library's texts name
// none. Each comment is what a caller of this library would do. Codes may be added.
enum class Remedy {
    none,  // or what `hint` says
    // Keys
    give_public_key,   // give the vendor's public key
    give_check_key,    // give the customer's check key
    give_vendor_key,   // give the vendor's private key
    try_check_key,     // try the customer's check key: nothing shows whether the seal was made for one
    make_key,          // make a key for seals: Ed25519, or P-256
    make_p256_key,     // make a key on P-256, for seals and for signatures of files
    export_token_key,  // write the public key of a key on a token to a file
    give_pin,          // give the PIN of the token
    allow_derivation,  // make a key on the token that may derive as well as sign
    // Signatures of files
    trust_signer,      // give the signer's public key, or the certificate of an authority
    trust_authority,   // give the certificate of the authority that certified the signer
    trust_identity,    // give a trusted root, and the identity and its issuer that are expected
    trust_timestamps,  // give the certificate of the authority that made the timestamp
    give_certificate,  // give the signer's certificate
    give_signature,    // give the signature's file
    choose_signature,  // give another path for the signature
    verify_signature,  // verify the signature
    follow_links,      // sign what symbolic links lead to
    ignore_file,       // take the file out of the model, or leave it out of the signature
    omit_tensors,      // sign without digests of tensors
    // Seals
    reseal,                // allow a new seal over the old one
    check_seal,            // check the seal
    use_modelseal_scheme,  // seal with Scheme::modelseal
    accept_deepisign,      // accept marks of Scheme::deepisign
    choose_output,         // give another path for the output
    check_each,            // check each model in the folder on its own
    check_folder,          // check the folder that holds the complete model
    // Fingerprints
    give_fingerprint,   // give the fingerprint that was made for the caller
    give_input_shape,   // give the shape of the model's input
    give_inputs,        // give shape and range, or the value, of each of the model's inputs
    give_input_range,   // give the range of the model's inputs
    review_inputs,      // give range, mean and deviation as in training, or ask for fewer pairs
    use_label_access,   // make a fingerprint for answers that are labels
    use_output_values,  // make it for logits or probabilities, without a grid
    use_mixed_rung,     // let the verdict rest on Rung::mixed
    use_cpu,            // run the model on the CPU
    allow_more_time,    // raise the limit for all requests of a check
    // Ledgers
    make_ledger,     // make a ledger by adding a customer
    list_customers,  // list the customers of the ledger, or add one
    show_customer,   // show the customer in the ledger
    add_customer,    // add the customer, with the check key they have
    use_ledger_key,  // name the customer, so that the key in the ledger is taken
    // Identities
    make_mark,        // give a model its additional class, and record it in the ledger
    choose_mark,      // name the mark by its id
    export_registry,  // export the registry again
    export_images,    // export the registry with its key images
};
inline constexpr Remedy kLastRemedy = Remedy::export_images;

struct Error {
    ErrorKind kind = ErrorKind::internal;
    // What, where, how much: "model.onnx: tensor 'w1': needs 16 bytes at 0x40, file has 12".
    std::string message;
    std::string hint;  // what would help, one line without names of options or commands, or empty
    Remedy remedy = Remedy::none;
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

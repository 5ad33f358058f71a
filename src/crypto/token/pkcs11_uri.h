// PKCS#11 URIs (RFC 7512), which name a key in a token: "pkcs11:token=vendor;object=seal?pin-source=/run/pin".
//
// Parsed strictly, so that a typing error cannot select another key: every attribute at most once and in its part,
// percent-encoding where the RFC wants it, no unknown names. Messages never contain a value, which may be a PIN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::crypto {

// Wipes its PIN when it goes.
struct Pkcs11Uri {
    // What selects the module's library, the slot, the token and the object; nothing: any.
    std::optional<std::string> library_manufacturer, library_description;
    std::optional<std::string> slot_manufacturer, slot_description;
    std::optional<std::uint64_t> slot_id;
    std::optional<std::string> token, manufacturer, model, serial;
    std::optional<std::string> object, id;  // `id` holds bytes
    std::optional<std::string> type;        // "private", "public" or "cert"
    // How to reach the token.
    std::optional<std::string> module_path, module_name;
    std::optional<std::string> pin_value, pin_source;

    Pkcs11Uri() = default;
    Pkcs11Uri(Pkcs11Uri&&) = default;
    Pkcs11Uri& operator=(Pkcs11Uri&&) = default;
    ~Pkcs11Uri();

    // For messages: "token 'vendor', object 'seal'".
    std::string shown() const;
};

// Whether `text` begins like such a URI. It is then not the path of a file.
bool is_pkcs11_uri(std::string_view text);
Result<Pkcs11Uri> parse_pkcs11_uri(std::string_view text);
// ErrorKind::usage for a URI, where the file of a public key is needed.
Result<void> must_be_file(std::string_view path);

}  // namespace modelseal::crypto

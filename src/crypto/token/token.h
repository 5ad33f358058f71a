// EC keys in hardware: a PKCS#11 token that a URI names (see pkcs11_uri.h) computes, and OpenSSL does the rest.
//
// libp11 makes such a key an OpenSSL key. It supports RSA and EC keys; on a token with an Ed25519 key, releases up to
// 0.4.12 find no key at all. A module is code that runs in this
// process: which one comes from the URI, else the environment variable PKCS11_MODULE_PATH, else p11-kit.
#pragma once

#include <optional>
#include <string>

#include <modelseal/keys.h>

namespace modelseal::crypto {

// Errors: `usage` for a malformed URI, `unreadable` for a module, a token or a key that is not there or is
// there twice, `mismatch` for a wrong PIN, `unsupported` for keys of other types, for keys that do not serve
// `use`, and for every URI where modelseal was built without libp11. The PIN comes from the URI, else `pin` is
// called once with the name of the token. A PIN is tried once, because tokens lock after a few wrong ones.
Result<SigningKey> load_token_key(const std::string& uri, const Passphrase& pin,
                                  std::optional<KeyUse> use = {});
// The public half. The PIN is needed only if the token hides public keys before a login.
Result<PublicKey> load_token_public_key(const std::string& uri, const Passphrase& pin);

}  // namespace modelseal::crypto

// Shared libraries that speak PKCS#11. Included by src/crypto/token*.cc only.
#pragma once

#include <string>

#include "crypto/pkcs11_uri.h"
#include <modelseal/result.h>

namespace modelseal::crypto {

struct TokenModule {
    std::string path;        // as the dynamic linker takes it
    void* handle = nullptr;  // dlclose() is the caller's
};

// The module that the URI names, else PKCS11_MODULE_PATH, else p11-kit's, which leads to all that are
// installed. Loaded, and looked at whether it is one; not yet started.
Result<TokenModule> open_token_module(const Pkcs11Uri& uri);

}  // namespace modelseal::crypto

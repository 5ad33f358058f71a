#include <cstring>

#include <fmt/format.h>

#include "capi/objects.h"
#include "crypto/secret.h"
#include "util/text.h"

namespace modelseal::capi {
namespace {

Error no_passphrase(const std::string& file) {
    return {ErrorKind::usage, util::printable(file) + ": needs a passphrase, and none was given", {}};
}

Passphrase asking(modelseal_passphrase_fn ask, void* user) {
    return [ask, user](const std::string& file) -> Result<std::string> {
        if (ask == nullptr) return no_passphrase(file);
        std::string buffer(MODELSEAL_PASSPHRASE_MAX, '\0');
        const crypto::WipeAtEnd wiped(buffer);
        const int size = ask(file.c_str(), buffer.data(), buffer.size(), user);
        if (size < 0) return no_passphrase(file);
        if (static_cast<std::size_t>(size) > buffer.size()) {
            return Error{ErrorKind::usage,
                         fmt::format("{}: the passphrase has {} bytes, there is room for {}",
                                     util::printable(file), size, buffer.size()),
                         {}};
        }
        return buffer.substr(0, static_cast<std::size_t>(size));
    };
}

modelseal_status open_signing_key(const char* call, const char* path, const Passphrase& passphrase,
                                  modelseal_signing_key** key, modelseal_error** error) {
    clear(key);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(path, call, "path"));
        MODELSEAL_TRY(must_be_there(key, call, "key"));
        MODELSEAL_TRY_ASSIGN(auto opened, load_signing_key(path, passphrase, KeyUse::seals));
        *key = new modelseal_signing_key{std::move(opened)};
        return {};
    });
}

}  // namespace
}  // namespace modelseal::capi

using namespace modelseal;
using namespace modelseal::capi;

extern "C" {

modelseal_status modelseal_public_key_open(const char* path, modelseal_public_key** key,
                                           modelseal_error** error) {
    clear(key);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(path, "modelseal_public_key_open", "path"));
        MODELSEAL_TRY(must_be_there(key, "modelseal_public_key_open", "key"));
        MODELSEAL_TRY_ASSIGN(const auto opened, load_public_key(path));
        *key = new modelseal_public_key{opened};
        return {};
    });
}

modelseal_status modelseal_signing_key_open(const char* path, modelseal_passphrase_fn ask, void* user,
                                            modelseal_signing_key** key, modelseal_error** error) {
    return open_signing_key("modelseal_signing_key_open", path, asking(ask, user), key, error);
}

modelseal_status modelseal_signing_key_open_with(const char* path, const char* passphrase, size_t size,
                                                 modelseal_signing_key** key, modelseal_error** error) {
    const auto given = [&](const std::string& file) -> Result<std::string> {
        if (passphrase == nullptr) return no_passphrase(file);
        return std::string(passphrase, size);
    };
    return open_signing_key("modelseal_signing_key_open_with", path, given, key, error);
}

modelseal_status modelseal_signing_key_public(const modelseal_signing_key* key,
                                              modelseal_public_key** public_key, modelseal_error** error) {
    clear(public_key);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(key, "modelseal_signing_key_public", "key"));
        MODELSEAL_TRY(must_be_there(public_key, "modelseal_signing_key_public", "public_key"));
        *public_key = new modelseal_public_key{key->key.public_key()};
        return {};
    });
}

modelseal_status modelseal_check_key_open(const char* path, modelseal_check_key** key,
                                          modelseal_error** error) {
    clear(key);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(path, "modelseal_check_key_open", "path"));
        MODELSEAL_TRY(must_be_there(key, "modelseal_check_key_open", "key"));
        MODELSEAL_TRY_ASSIGN(auto opened, load_check_key(path));
        *key = new modelseal_check_key{std::move(opened)};
        return {};
    });
}

modelseal_status modelseal_check_key_public(const modelseal_public_key* vendor, modelseal_check_key** key,
                                            modelseal_error** error) {
    clear(key);
    return guarded(error, [&]() -> Result<void> {
        MODELSEAL_TRY(must_be_there(vendor, "modelseal_check_key_public", "vendor"));
        MODELSEAL_TRY(must_be_there(key, "modelseal_check_key_public", "key"));
        MODELSEAL_TRY(must_serve(vendor->key, KeyUse::seals, "key " + to_hex(vendor->key.id())));
        *key = new modelseal_check_key{public_check_key(vendor->key)};
        return {};
    });
}

void modelseal_public_key_free(modelseal_public_key* key) {
    delete key;
}

void modelseal_signing_key_free(modelseal_signing_key* key) {
    delete key;
}

void modelseal_check_key_free(modelseal_check_key* key) {
    delete key;
}

}  // extern "C"

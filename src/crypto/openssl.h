// OpenSSL's objects, freed when they go; included by src/crypto only.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

namespace modelseal::crypto::openssl {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using PrivateInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
using EncryptedInfo = std::unique_ptr<X509_SIG, Deleter<X509_SIG_free>>;

// OpenSSL's error queue.
struct Note {
    int library;
    int reason;
    std::string text;
};

// Empties the queue, first cause first. Throws std::bad_alloc if memory ran out: that proves nothing about a key.
inline std::vector<Note> take_notes() {
    std::vector<Note> notes;
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) {
            ERR_clear_error();
            throw std::bad_alloc();
        }
        const char* text = ERR_reason_error_string(code);
        notes.push_back({ERR_GET_LIB(code), ERR_GET_REASON(code), text == nullptr ? "unknown" : text});
    }
    return notes;
}

// The last of them, or "unknown".
inline std::string last_error() {
    const std::vector<Note> notes = take_notes();
    return notes.empty() ? "unknown" : notes.back().text;
}

}  // namespace modelseal::crypto::openssl

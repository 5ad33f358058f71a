// Shared libraries that speak PKCS#11. Included by src/crypto/token*.cc only.
#pragma once

#include <memory>
#include <span>
#include <string>

#include <libp11.h>

#include "crypto/openssl.h"
#include "crypto/token/pkcs11_uri.h"
#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::crypto {

struct TokenModule {
    std::string path;        // as given to dlopen()
    void* handle = nullptr;  // the caller calls dlclose()
};

// The module that the URI names, else PKCS11_MODULE_PATH, else p11-kit's proxy for all installed ones. Loaded and
// recognized as a module, but not initialized.
Result<TokenModule> open_token_module(const Pkcs11Uri& uri);

// A token, opened through libp11. Included by src/crypto/token*.cc only.

// Which half of a pair of keys.
enum class TokenHalf { secret, open };

// A loaded module and a session with one of its tokens; logged out and unloaded when it goes. Keys that came
// from it must be gone before.
class TokenSession {
  public:
    static Result<std::shared_ptr<TokenSession>> open(Pkcs11Uri uri);
    ~TokenSession();
    TokenSession(const TokenSession&) = delete;
    TokenSession& operator=(const TokenSession&) = delete;

    // For messages: token and object.
    const std::string& shown() const { return shown_; }
    // Tries the PIN once. Does nothing for a token that needs none.
    Result<void> login(const Passphrase& ask);
    // The only key that the URI selects.
    Result<openssl::Key> key(TokenHalf half);
    // Whether the URI selects any.
    bool has_key(TokenHalf half);

  private:
    explicit TokenSession(Pkcs11Uri uri) : uri_(std::move(uri)), shown_(uri_.shown()) {}
    Result<void> load_module();
    Result<void> find_token();
    Result<std::string> pin(const Passphrase& ask) const;
    bool selected(const PKCS11_SLOT& slot) const;
    bool selected(const PKCS11_KEY& key) const;
    Result<std::span<PKCS11_KEY>> keys(TokenHalf half);
    std::string token_name() const;

    Pkcs11Uri uri_;
    std::string shown_;
    std::string pin_;  // for keys that want it again at each signature
    void* library_ = nullptr;
    PKCS11_CTX* context_ = nullptr;
    bool loaded_ = false;
    PKCS11_SLOT* slots_ = nullptr;
    unsigned slot_count_ = 0;
    PKCS11_SLOT* slot_ = nullptr;
    UI_METHOD* ui_ = nullptr;
    bool logged_in_ = false;
};

}  // namespace modelseal::crypto

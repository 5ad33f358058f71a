#include "crypto/token/token_session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <dlfcn.h>
#include <openssl/ui.h>

#include "crypto/secret.h"
#include "io/file.h"
#include "util/text.h"

namespace modelseal::crypto {
namespace {

constexpr const char* kDefault = "p11-kit-proxy.so";
constexpr const char* kVariable = "PKCS11_MODULE_PATH";

struct Choice {
    std::vector<std::string> paths;  // tried in turn
    std::string shown;
    std::string hint;
};

Choice choice(const Pkcs11Uri& uri) {
    const std::string hint =
        "give the path of the token's library as module-path, such as /usr/lib/softhsm/libsofthsm2.so";
    if (uri.module_path) return {{*uri.module_path}, util::printable(*uri.module_path), hint};
    if (uri.module_name) {
        const auto& name = *uri.module_name;
        const std::string folder = MODELSEAL_PKCS11_FOLDER "/";
        return {{folder + name + ".so", folder + "lib" + name + ".so", name + ".so", "lib" + name + ".so"},
                "module '" + util::printable(name) + "'",
                "give the module's file as module-path"};
    }
    if (const char* given = std::getenv(kVariable); given != nullptr && *given != '\0') {
        return {{given}, util::printable(given), std::string("this is what ") + kVariable + " names"};
    }
    return {
        {kDefault},
        std::string("p11-kit (") + kDefault + ")",
        std::string("install it (Debian: p11-kit-modules), or name the token's library: ?module-path=FILE in "
                    "the URI, or ") +
            kVariable};
}

}  // namespace

Result<TokenModule> open_token_module(const Pkcs11Uri& uri) {
    const auto [paths, shown, hint] = choice(uri);
    std::string reason;
    for (const auto& path : paths) {
        void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) {
            const char* text = ::dlerror();
            if (reason.empty()) reason = text == nullptr ? "unknown" : util::printable(text);
            continue;
        }
        if (::dlsym(handle, "C_GetFunctionList") != nullptr) return TokenModule{path, handle};
        ::dlclose(handle);
        return Error{ErrorKind::unsupported, shown + ": is a library, but not a PKCS#11 module", hint};
    }
    return Error{ErrorKind::unreadable, shown + ": the PKCS#11 module could not be loaded: " + reason, hint};
}

namespace {

constexpr std::uint64_t kMaxPinFile = 64u << 10;
constexpr int kPinIncorrect = 0xA0, kPinInvalid = 0xA1, kPinLenRange = 0xA2, kPinLocked = 0xA4;  // CKR_PIN_...

bool fits(const std::optional<std::string>& wanted, const char* have) {
    return !wanted || *wanted == (have == nullptr ? "" : have);
}

std::string quoted(const char* text) {
    return "'" + util::printable(text == nullptr ? "" : text) + "'";
}

std::string join(const std::vector<std::string>& items) {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
    return out;
}

// "'seal' (id %01)", with the id as a URI has it.
std::string name_of(const PKCS11_KEY& key) {
    std::string id;
    for (std::size_t i = 0; i < key.id_len; ++i) {
        id += "%" + to_hex(std::as_bytes(std::span(key.id + i, 1)));
    }
    return quoted(key.label) + (id.empty() ? "" : " (id=" + id + ")");
}

// For keys that need the PIN again for each signature. Without this, libp11 would ask on the terminal.
int give_pin(UI* ui, UI_STRING* question) {
    const auto* const pin = static_cast<const std::string*>(UI_get0_user_data(ui));
    if (UI_get_string_type(question) != UIT_PROMPT || pin == nullptr) return 0;
    return UI_set_result(ui, question, pin->c_str()) == 0 ? 1 : 0;
}

Result<std::string> first_line(const std::string& source) {
    const std::string path = source.starts_with("file:") ? source.substr(5) : source;
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaxPinFile));
    const WipeAtEnd wiped(text);
    std::string line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

}  // namespace

Result<std::shared_ptr<TokenSession>> TokenSession::open(Pkcs11Uri uri) {
    std::shared_ptr<TokenSession> session(new TokenSession(std::move(uri)));
    MODELSEAL_TRY(session->load_module());
    MODELSEAL_TRY(session->find_token());
    return session;
}

TokenSession::~TokenSession() {
    if (logged_in_) PKCS11_logout(slot_);
    if (slots_ != nullptr) PKCS11_release_all_slots(context_, slots_, slot_count_);
    if (loaded_) PKCS11_CTX_unload(context_);
    if (context_ != nullptr) PKCS11_CTX_free(context_);
    if (ui_ != nullptr) UI_destroy_method(ui_);
    if (library_ != nullptr) ::dlclose(library_);
    wipe(pin_);
    openssl::take_notes();
}

Result<void> TokenSession::load_module() {
    MODELSEAL_TRY_ASSIGN(const auto module, open_token_module(uri_));
    library_ = module.handle;
    context_ = PKCS11_CTX_new();
    if (context_ == nullptr) throw std::bad_alloc();
    openssl::take_notes();
    loaded_ = PKCS11_CTX_load(context_, module.path.c_str()) == 0;
    if (!loaded_ || PKCS11_enumerate_slots(context_, &slots_, &slot_count_) != 0) {
        return Error{ErrorKind::unreadable,
                     util::printable(module.path) +
                         ": the PKCS#11 module could not be started: " + openssl::last_error(),
                     ""};
    }
    return {};
}

bool TokenSession::selected(const PKCS11_SLOT& slot) const {
    const auto* const token = slot.token;
    if (token == nullptr || token->initialized == 0) return false;
    return fits(uri_.token, token->label) && fits(uri_.manufacturer, token->manufacturer) &&
           fits(uri_.model, token->model) && fits(uri_.serial, token->serialnr) &&
           fits(uri_.slot_manufacturer, slot.manufacturer) && fits(uri_.slot_description, slot.description) &&
           fits(uri_.library_manufacturer, context_->manufacturer) &&
           fits(uri_.library_description, context_->description) &&
           (!uri_.slot_id || *uri_.slot_id == PKCS11_get_slotid_from_slot(const_cast<PKCS11_SLOT*>(&slot)));
}

Result<void> TokenSession::find_token() {
    std::vector<std::string> there, found;
    for (auto& slot : std::span(slots_, slot_count_)) {
        if (slot.token == nullptr || slot.token->initialized == 0) continue;
        const auto name = quoted(slot.token->label) + " (serial=" + util::printable(slot.token->serialnr) + ")";
        there.push_back(name);
        if (!selected(slot)) continue;
        found.push_back(name);
        slot_ = &slot;
    }
    if (found.size() == 1) {
        shown_ = token_name() + shown_.substr(std::min(shown_.find(", object"), shown_.size()));
        return {};
    }
    if (found.size() > 1) {
        return Error{ErrorKind::unreadable,
                     "PKCS#11 URI: fits " + std::to_string(found.size()) + " tokens: " + join(found),
                     "add token= or serial="};
    }
    return Error{ErrorKind::unreadable, shown_.substr(0, shown_.find(", object")) + ": token not found",
                 there.empty() ? "no token found" : "tokens found: " + join(there)};
}

std::string TokenSession::token_name() const {
    return "token " + quoted(slot_->token->label);
}

Result<std::string> TokenSession::pin(const Passphrase& ask) const {
    if (uri_.pin_value) return *uri_.pin_value;
    if (uri_.pin_source) return first_line(*uri_.pin_source);
    if (!ask) return Error{ErrorKind::usage, token_name() + ": needs a PIN, and none was given", ""};
    return ask(token_name());
}

Result<void> TokenSession::login(const Passphrase& ask) {
    const auto& token = *slot_->token;
    if (logged_in_ || token.loginRequired == 0) return {};
    if (token.userPinLocked != 0) {
        return Error{ErrorKind::unreadable, token_name() + ": is locked after too many wrong PINs",
                     "its security officer can set a new PIN"};
    }
    // A token with a keypad asks for the PIN there.
    if (token.secureLogin == 0) {
        MODELSEAL_TRY_ASSIGN(pin_, pin(ask));
        if (pin_.find('\0') != std::string::npos) {
            return Error{ErrorKind::usage, token_name() + ": the PIN contains a zero byte", ""};
        }
    }
    openssl::take_notes();
    if (PKCS11_login(slot_, 0, token.secureLogin != 0 ? nullptr : pin_.c_str()) != 0) {
        const auto notes = openssl::take_notes();
        const bool wrong = std::ranges::any_of(notes, [](const auto& note) {
            return note.reason == kPinIncorrect || note.reason == kPinInvalid || note.reason == kPinLenRange;
        });
        if (wrong) {
            return Error{ErrorKind::mismatch, token_name() + ": wrong PIN",
                         token.userPinFinalTry != 0
                             ? "this was the last try: the token is locked now"
                             : "it was tried once; a token is locked after a few wrong PINs"};
        }
        const bool locked =
            std::ranges::any_of(notes, [](const auto& note) { return note.reason == kPinLocked; });
        return Error{
            ErrorKind::unreadable,
            token_name() + (locked ? ": is locked after too many wrong PINs"
                                   : ": could not log in: " + (notes.empty() ? "unknown" : notes.back().text)),
            ""};
    }
    logged_in_ = true;
    ui_ = UI_create_method("modelseal");
    if (ui_ == nullptr) throw std::bad_alloc();
    UI_method_set_reader(ui_, give_pin);
    PKCS11_set_ui_method(context_, ui_, &pin_);
    return {};
}

bool TokenSession::selected(const PKCS11_KEY& key) const {
    const std::string_view id(reinterpret_cast<const char*>(key.id), key.id_len);
    return fits(uri_.object, key.label) && (!uri_.id || *uri_.id == id);
}

Result<std::span<PKCS11_KEY>> TokenSession::keys(TokenHalf half) {
    PKCS11_KEY* list = nullptr;
    unsigned count = 0;
    openssl::take_notes();
    const int failed = half == TokenHalf::secret ? PKCS11_enumerate_keys(slot_->token, &list, &count)
                                                 : PKCS11_enumerate_public_keys(slot_->token, &list, &count);
    if (failed == 0) return std::span(list, count);
    const auto notes = openssl::take_notes();
    if (!notes.empty()) {
        return Error{ErrorKind::unreadable,
                     token_name() + ": its keys could not be listed: " + notes.back().text, ""};
    }
    // libp11 0.4.12 gives no reason if the token has a key on an Edwards or Montgomery curve.
    return Error{ErrorKind::unsupported,
                 token_name() +
                     ": its keys could not be listed; libp11 supports RSA and EC keys only, and fails if the "
                     "token has an Ed25519 key",
                 "use a P-256 key on a token without Ed25519 keys"};
}

bool TokenSession::has_key(TokenHalf half) {
    const auto list = keys(half);
    return list.ok() && std::ranges::any_of(*list, [&](const auto& key) { return selected(key); });
}

Result<openssl::Key> TokenSession::key(TokenHalf half) {
    MODELSEAL_TRY_ASSIGN(const auto list, keys(half));
    std::vector<std::string> there, found;
    PKCS11_KEY* key = nullptr;
    for (auto& each : list) {
        there.push_back(name_of(each));
        if (!selected(each)) continue;
        found.push_back(name_of(each));
        key = &each;
    }
    const std::string kind = half == TokenHalf::secret ? "private" : "public";
    if (found.empty()) {
        return Error{ErrorKind::unreadable, shown_ + ": no such " + kind + " key is there",
                     there.empty() ? "no " + kind + " key at all is there" : "tokens found: " + join(there)};
    }
    if (found.size() > 1) {
        return Error{ErrorKind::unreadable,
                     shown_ + ": fits " + std::to_string(found.size()) + " " + kind + " keys: " + join(found),
                     "add object= or id="};
    }
    openssl::Key evp(half == TokenHalf::secret ? PKCS11_get_private_key(key) : PKCS11_get_public_key(key));
    if (!evp) {
        return Error{ErrorKind::unsupported, shown_ + ": the key could not be used: " + openssl::last_error(),
                     ""};
    }
    return evp;
}

}  // namespace modelseal::crypto

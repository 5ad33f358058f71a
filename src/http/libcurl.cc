#include "http/libcurl.h"

#include <optional>

#include <dlfcn.h>

namespace modelseal::http {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";  // its name since 2006

// Finds functions, and remembers if one was not there.
class Symbols {
  public:
    explicit Symbols(void* library) : library_(library) {}

    template <class Function>
    void find(Function& function, const char* name) {
        function = reinterpret_cast<Function>(::dlsym(library_, name));
        complete_ = complete_ && function != nullptr;
    }
    bool complete() const { return complete_; }

  private:
    void* library_;
    bool complete_ = true;
};

// It stays until the process ends, as a library does that is linked.
std::optional<Libcurl> load() {
    void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return std::nullopt;
    Symbols symbols(library);
    Libcurl curl{};
    decltype(&::curl_global_init) global_init = nullptr;
    symbols.find(global_init, "curl_global_init");
    symbols.find(curl.free, "curl_free");
    symbols.find(curl.easy_init, "curl_easy_init");
    symbols.find(curl.easy_cleanup, "curl_easy_cleanup");
    symbols.find(curl.easy_reset, "curl_easy_reset");
    symbols.find(curl.easy_setopt, "curl_easy_setopt");
    symbols.find(curl.easy_getinfo, "curl_easy_getinfo");
    symbols.find(curl.easy_perform, "curl_easy_perform");
    symbols.find(curl.easy_strerror, "curl_easy_strerror");
    symbols.find(curl.slist_append, "curl_slist_append");
    symbols.find(curl.slist_free_all, "curl_slist_free_all");
    symbols.find(curl.url, "curl_url");
    symbols.find(curl.url_cleanup, "curl_url_cleanup");
    symbols.find(curl.url_set, "curl_url_set");
    symbols.find(curl.url_get, "curl_url_get");
    symbols.find(curl.url_strerror, "curl_url_strerror");
    const bool complete = symbols.complete();
    symbols.find(curl.peer_certificate, "SSL_get1_peer_certificate");
    if (!complete || global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return std::nullopt;
    return curl;
}

const std::optional<Libcurl>& loaded() {
    static const auto once = load();
    return once;
}

}  // namespace

Result<void> load_libcurl() {
    if (loaded()) return {};
    return Error{ErrorKind::unsupported, "nothing can be asked over http: libcurl is not installed",
                 "install libcurl 7.85 or newer (Debian: libcurl4)"};
}

const Libcurl& libcurl() {
    return loaded().value();
}

}  // namespace modelseal::http

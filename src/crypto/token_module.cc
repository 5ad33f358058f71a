#include "crypto/token_module.h"

#include <cstdlib>
#include <vector>

#include <dlfcn.h>

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
        "module-path is where the library of the token's maker is, such as "
        "/usr/lib/softhsm/libsofthsm2.so";
    if (uri.module_path) return {{*uri.module_path}, util::printable(*uri.module_path), hint};
    if (uri.module_name) {
        const auto& name = *uri.module_name;
        const std::string folder = MODELSEAL_PKCS11_FOLDER "/";
        return {{folder + name + ".so", folder + "lib" + name + ".so", name + ".so", "lib" + name + ".so"},
                "module '" + util::printable(name) + "'",
                "give its file as module-path"};
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
        return Error{ErrorKind::unsupported, shown + ": a library, but no PKCS#11 module", hint};
    }
    return Error{ErrorKind::unreadable, shown + ": the PKCS#11 module could not be loaded: " + reason, hint};
}

}  // namespace modelseal::crypto


#include "tests/support/pki/soft_token.h"

#include <filesystem>
#include <stdexcept>

#include "crypto/token/token.h"
#include "tests/support/run.h"

namespace modelseal::test {

std::string soft_token_module() {
    for (const char* path : {"/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so",
                             "/usr/lib64/pkcs11/libsofthsm2.so"}) {
        if (std::filesystem::exists(path)) return path;
    }
    return "";
}

std::string SoftToken::missing() {
    if (soft_token_module().empty() || !installed("softhsm2-util"))
        return "SoftHSM2 is not installed (softhsm2)";
    if (!installed("pkcs11-tool")) return "pkcs11-tool is not installed (opensc)";
    const auto probe = crypto::load_token_key("pkcs11:token=probe?module-path=/nonexistent", {});
    const bool built = probe.ok() || probe.error().message.find("without libp11") == std::string::npos;
    return built ? "" : "modelseal was built without libp11";
}

SoftToken::SoftToken(const std::string& label) {
    std::filesystem::create_directory(folder_ / "tokens");
    folder_.write("softhsm2.conf", "directories.tokendir = " + (folder_ / "tokens").string() +
                                       "\nobjectstore.backend = file\nlog.level = ERROR\n");
    add(label);
}

void SoftToken::add(const std::string& label) {
    const auto done = run(
        {"softhsm2-util", "--init-token", "--free", "--label", label, "--pin", kPin, "--so-pin", "12345678"},
        {.variables = variables()});
    if (done.code != 0) throw std::runtime_error("softhsm2-util: " + done.out + done.err);
}

void SoftToken::make_key(const std::string& object, const std::string& id, const std::string& type,
                         const std::vector<std::string>& more, const std::string& token) {
    Words words = {"--keypairgen", "--key-type", type, "--label", object, "--id", id};
    words.insert(words.end(), more.begin(), more.end());
    tool(words, token);
}

void SoftToken::tool(std::vector<std::string> arguments, const std::string& token) {
    Words words = {"pkcs11-tool", "--module", soft_token_module(), "--token-label", token, "--login",
                   "--pin",       kPin};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto done = run(words, {.variables = variables()});
    if (done.code != 0) throw std::runtime_error("pkcs11-tool: " + done.out + done.err);
}

std::map<std::string, std::string> SoftToken::variables() const {
    return {{"SOFTHSM2_CONF", (folder_ / "softhsm2.conf").string()},
            {"PKCS11_MODULE_PATH", soft_token_module()}};
}

void SoftToken::use_here() const {
    for (const auto& [name, value] : variables()) ::setenv(name.c_str(), value.c_str(), 1);
}

}  // namespace modelseal::test

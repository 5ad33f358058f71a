#include "http/option_files.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "io/file.h"
#include "util/text.h"

namespace modelseal::http {
namespace {

// "default" of netrc(5): a login for every host that has none of its own.
bool has_default_entry(std::string_view text) {
    std::string_view previous;
    while (!text.empty()) {
        const auto begin = text.find_first_not_of(" \t\r\n");
        if (begin == std::string_view::npos) return false;
        text.remove_prefix(begin);
        const auto word = text.substr(0, text.find_first_of(" \t\r\n"));
        text.remove_prefix(word.size());
        const bool value =
            previous == "machine" || previous == "login" || previous == "password" || previous == "account";
        if (word == "default" && !value) return true;
        previous = value ? std::string_view() : word;
    }
    return false;
}

constexpr std::uint64_t kMostNetrcBytes = 1u << 20, kMostPemBytes = 4u << 20;

Result<void> has_certificate(const std::filesystem::path& file) {
    if (file.empty()) return {};
    MODELSEAL_TRY_ASSIGN(const auto pem, io::read_text(file, kMostPemBytes));
    if (pem.find("-----BEGIN CERTIFICATE-----") != std::string::npos) return {};
    return Error{ErrorKind::malformed, util::printable(file.string()) + ": contains no certificate in PEM",
                 "a certificate in PEM begins with -----BEGIN CERTIFICATE-----"};
}

}  // namespace

Result<void> check_files(const ClientOptions& options) {
    MODELSEAL_TRY(has_certificate(options.ca_file));
    MODELSEAL_TRY(has_certificate(options.client_cert));
    if (options.netrc.empty()) return {};
    MODELSEAL_TRY_ASSIGN(const auto logins, io::read_text(options.netrc, kMostNetrcBytes));
    if (!has_default_entry(logins)) return {};
    return Error{
        ErrorKind::usage,
        util::printable(options.netrc.string()) + ": has an entry 'default', which would go to any server",
        "give each login with the name of its machine"};
}

}  // namespace modelseal::http

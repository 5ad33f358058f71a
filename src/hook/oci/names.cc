#include "hook/oci/names.h"

#include <algorithm>

#include "crypto/content_digest.h"
#include "crypto/hash.h"
#include <modelseal/keys.h>

namespace modelseal::hook {
namespace {

bool is_lower_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_component(std::string_view text) {
    std::size_t at = 0;
    const auto letters = [&] {
        const auto begin = at;
        while (at < text.size() && is_lower_alphanumeric(text[at])) ++at;
        return at > begin;
    };
    if (!letters()) return false;
    while (at < text.size()) {
        const auto begin = at;
        while (at < text.size() && text[at] == text[begin] && !is_lower_alphanumeric(text[at])) ++at;
        const auto count = at - begin;
        const char c = text[begin];
        const bool separator = (c == '.' && count == 1) || (c == '_' && count <= 2) || c == '-';
        if (!separator || !letters()) return false;
    }
    return true;
}

bool is_alphanumeric(char c) {
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z');
}

// The name of a host, which distribution lets a repository begin with: labels with dots between them, and a port.
bool is_host(std::string_view text) {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos) {
        const auto port = text.substr(colon + 1);
        if (port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) return false;
    }
    auto rest = text.substr(0, colon);
    while (true) {
        const auto label = rest.substr(0, rest.find('.'));
        if (label.empty() || !is_alphanumeric(label.front()) || !is_alphanumeric(label.back())) return false;
        if (!std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; })) return false;
        if (label.size() == rest.size()) return true;
        rest.remove_prefix(label.size() + 1);
    }
}

}  // namespace

bool is_repository(std::string_view name) {
    if (name.empty() || name.size() > 255) return false;
    if (const auto slash = name.find('/'); slash != std::string_view::npos && is_host(name.substr(0, slash)))
        name.remove_prefix(slash + 1);
    while (true) {
        const auto slash = name.find('/');
        if (!is_component(name.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        name.remove_prefix(slash + 1);
    }
}

// [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
bool is_tag(std::string_view tag) {
    const auto is_word = [](char c) { return is_alphanumeric(c) || c == '_'; };
    if (tag.empty() || tag.size() > 128 || !is_word(tag[0])) return false;
    return std::ranges::all_of(tag, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_digest(std::string_view text) {
    return crypto::is_content_digest(text);
}

bool has_digest(std::string_view text, std::string_view digest) {
    crypto::ContentDigest hash(digest);
    hash.update(std::as_bytes(std::span(text)));
    return hash.finish() == digest;
}

std::string digest_of(std::span<const std::byte> bytes) {
    crypto::Sha256 hash;
    hash.update(bytes);
    return "sha256:" + to_hex(hash.finish());
}

std::string digest_of(std::string_view text) {
    return digest_of(std::as_bytes(std::span(text)));
}

}  // namespace modelseal::hook

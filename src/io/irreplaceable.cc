#include "io/irreplaceable.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "io/file.h"
#include "util/text.h"

namespace modelseal::io {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kLargestPem = 64u << 10;
constexpr std::size_t kHeadBytes = 72;  // enough to recognize a ledger

constexpr std::pair<std::string_view, std::string_view> kMagics[] = {
    {"MSRECPT"sv, "receipt"sv},
    {"MSFPRNT"sv, "fingerprint"sv},
};

// "-----BEGIN ENCRYPTED PRIVATE KEY-----" at the start of a line: OpenSSL may write text before it.
std::optional<std::string_view> pem_kind(std::string_view head) {
    constexpr auto kBegin = "-----BEGIN "sv;
    if (head.find('\0') != head.npos) return std::nullopt;
    if (head.starts_with("\xEF\xBB\xBF"sv)) head.remove_prefix(3);  // a byte order mark, which editors add
    for (auto at = head.find(kBegin); at != head.npos; at = head.find(kBegin, at + 1)) {
        if (at != 0 && head[at - 1] != '\n') continue;
        const auto line = head.substr(at + kBegin.size());
        const auto label = line.substr(0, line.find("-----"));
        if (!label.ends_with(" KEY") || label.find('\n') != label.npos) continue;
        if (label.ends_with("PRIVATE KEY")) return "private key";
        return label.ends_with("CHECK KEY") ? "check key" : "public key";
    }
    return std::nullopt;
}

// An SQLite database whose application_id is "MSLG"; see modelseal-ledger(5).
bool is_ledger(std::string_view head) {
    return head.starts_with("SQLite format 3\0"sv) && head.size() >= kHeadBytes && head.substr(68, 4) == "MSLG";
}

}  // namespace

std::optional<std::string_view> irreplaceable_kind(const Source& source) {
    const bool may_be_pem = source.size() <= kLargestPem;
    std::string head(may_be_pem ? source.size() : kHeadBytes, '\0');
    if (!source.read(0, std::as_writable_bytes(std::span(head))).ok()) return std::nullopt;
    for (const auto& [magic, kind] : kMagics) {
        if (head.starts_with(magic)) return kind;
    }
    if (is_ledger(head)) return "ledger";
    return may_be_pem ? pem_kind(head) : std::nullopt;
}

std::string not_a(std::string_view wanted, const Source& source) {
    const auto kind = irreplaceable_kind(source);
    if (!kind) return fmt::format("not a {}", wanted);
    // What is recognized by its first bytes alone may have lost the others.
    return *kind == wanted ? fmt::format("the {} ends early", wanted)
                           : fmt::format("is a {}; a {} is needed", *kind, wanted);
}

Result<void> refuse_to_replace(const std::filesystem::path& path) {
    const auto there = FileSource::open(path, path.string());
    const auto kind = there.ok() ? irreplaceable_kind(**there) : std::nullopt;
    if (!kind) return {};
    return Error{ErrorKind::usage,
                 fmt::format("{}: is a {}, which is never overwritten", util::printable(path.string()), *kind),
                 "give another path for the output, or move this file first"};
}

}  // namespace modelseal::io

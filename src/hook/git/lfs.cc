#include "hook/git/lfs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "util/encodings.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

// What Git LFS takes for blanks around a pointer: all of Unicode, in UTF-8 (bytes.TrimSpace of Go).
constexpr std::array<std::string_view, 25> kBlanks = {" ",
                                                      "\t",
                                                      "\r",
                                                      "\n",
                                                      "\v",
                                                      "\f",
                                                      "\xC2\x85",
                                                      "\xC2\xA0",
                                                      "\xE1\x9A\x80",
                                                      "\xE2\x80\x80",
                                                      "\xE2\x80\x81",
                                                      "\xE2\x80\x82",
                                                      "\xE2\x80\x83",
                                                      "\xE2\x80\x84",
                                                      "\xE2\x80\x85",
                                                      "\xE2\x80\x86",
                                                      "\xE2\x80\x87",
                                                      "\xE2\x80\x88",
                                                      "\xE2\x80\x89",
                                                      "\xE2\x80\x8A",
                                                      "\xE2\x80\xA8",
                                                      "\xE2\x80\xA9",
                                                      "\xE2\x80\xAF",
                                                      "\xE2\x81\x9F",
                                                      "\xE3\x80\x80"};
constexpr std::size_t kHashedAtOnce = 1u << 20;

std::string_view trimmed(std::string_view text) {
    const auto blank_at = [&](auto at_edge) { return std::ranges::find_if(kBlanks, at_edge); };
    const auto leads = [&](std::string_view blank) { return text.starts_with(blank); };
    const auto ends = [&](std::string_view blank) { return text.ends_with(blank); };
    for (auto at = blank_at(leads); at != kBlanks.end(); at = blank_at(leads)) text.remove_prefix(at->size());
    for (auto at = blank_at(ends); at != kBlanks.end(); at = blank_at(ends)) text.remove_suffix(at->size());
    return text;
}

// The line, without its end, which may be "\r\n"; `text` begins after it then.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

struct PointerStart {
    bool is_one = false;
    bool extended = false;  // extensions come before the version: Git LFS takes them anywhere
};

// By the line of its version, for the present name of Git LFS and its two earlier ones. `rest` begins after it then.
PointerStart take_start(std::string_view& rest) {
    PointerStart start;
    auto line = take_line(rest);
    while (!rest.empty() && (line.empty() || line.starts_with("ext-"))) {
        if (!line.empty()) start.extended = true;
        line = take_line(rest);
    }
    start.is_one =
        line.starts_with("version ") &&
        std::ranges::any_of(std::initializer_list<std::string_view>{"git-lfs", "hawser", "git-media"},
                            [&](std::string_view name) { return line.find(name) != line.npos; });
    return start;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return number;
}

bool is_digest(std::string_view text) {
    return text.size() == 64 && util::from_hex(text).has_value();
}

}  // namespace

Result<std::optional<LfsPointer>> parse_lfs_pointer(std::string_view text, std::string_view where) {
    constexpr std::string_view kOid = "oid sha256:", kSize = "size ";
    if (text.size() > kLongestPointer) return std::optional<LfsPointer>();
    auto rest = trimmed(text);
    const auto start = take_start(rest);
    if (!start.is_one) return std::optional<LfsPointer>();
    const auto oid = take_line(rest);
    if (start.extended || oid.starts_with("ext-"))
        return Error{ErrorKind::unsupported, fmt::format("{}: a Git LFS pointer with extensions", where), {}};
    const auto size = take_line(rest);
    if (!oid.starts_with(kOid) || !size.starts_with(kSize) || !rest.empty())
        return util::malformed(where, "a Git LFS pointer must have a version, a digest and a size");
    const auto digest = oid.substr(kOid.size());
    const auto bytes = number_of(size.substr(kSize.size()));
    if (!is_digest(digest))
        return util::malformed(where, "the digest of a Git LFS pointer is not one of SHA-256");
    if (!bytes) return util::malformed(where, "the size of a Git LFS pointer is not a number");
    return std::optional(LfsPointer{std::string(digest), *bytes});
}

bool is_front_of_pointer(std::string_view front) {
    auto rest = trimmed(front.substr(0, kLongestPointer + 1));
    return take_start(rest).is_one;
}

std::filesystem::path LfsStore::path_of(const LfsPointer& pointer) const {
    const auto& oid = pointer.oid;
    const auto folder = folder_ / oid.substr(0, 2) / oid.substr(2, 2);
    std::error_code ignored;
    auto rest = folder / oid.substr(4);
    return std::filesystem::exists(rest, ignored) ? rest : folder / oid;
}

Result<std::unique_ptr<io::FileSource>> LfsStore::open(const LfsPointer& pointer,
                                                       std::string_view where) const {
    const auto path = path_of(pointer);
    const auto name = fmt::format("{} (Git LFS object {})", where, pointer.oid.substr(0, 12));
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: not in the Git LFS store {}", name, util::printable(folder_.string())),
                     "push the objects of Git LFS first"};
    }
    MODELSEAL_TRY_ASSIGN(auto source, io::FileSource::open(path, name));
    if (source->size() != pointer.bytes) {
        return Error{ErrorKind::mismatch,
                     fmt::format("{}: has {} in the Git LFS store, the pointer names {}", name,
                                 util::counted(source->size(), "byte"), util::grouped(pointer.bytes)),
                     {}};
    }
    return source;
}

Result<void> LfsStore::place(const LfsPointer& pointer, std::string_view where,
                             const std::filesystem::path& to) const {
    const auto from = path_of(pointer);
    std::error_code failed;
    std::filesystem::create_hard_link(from, to, failed);
    if (!failed && !std::filesystem::is_regular_file(std::filesystem::symlink_status(to, failed))) {
        // Of a symbolic link, another one, which may lead elsewhere later.
        std::filesystem::remove(to, failed);
        failed = std::make_error_code(std::errc::not_supported);
    }
    if (failed) std::filesystem::copy_file(from, to, failed);
    if (failed) return io::os_error(failed.value(), where, "copy");
    // What lies there now is what is checked; the store may have changed meanwhile.
    MODELSEAL_TRY_ASSIGN(const auto placed, io::FileSource::open(to, std::string(where)));
    return verify_lfs_object(*placed, pointer, where);
}

Result<void> verify_lfs_object(const io::FileSource& object, const LfsPointer& pointer,
                               std::string_view where) {
    crypto::Sha256 hash;
    std::vector<std::byte> piece(kHashedAtOnce);
    for (std::uint64_t at = 0; at < object.size();) {
        const auto part = std::span(piece).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), object.size() - at)));
        MODELSEAL_TRY(object.read(at, part));
        hash.update(part);
        at += part.size();
    }
    const auto digest = hash.finish();
    if (object.size() == pointer.bytes && std::ranges::equal(digest, *util::from_hex(pointer.oid))) return {};
    return Error{ErrorKind::mismatch,
                 fmt::format("{}: the content in the Git LFS store is not that of object {}", where,
                             pointer.oid.substr(0, 12)),
                 {}};
}

}  // namespace modelseal::hook

#include "oms/log_proof.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/sha256.h"
#include "util/encodings.h"
#include <modelseal/keys.h>

namespace modelseal::oms {
namespace {

constexpr std::byte kLeaf{0}, kNode{1};
constexpr std::string_view kDash = "\xE2\x80\x94 ";  // what the line of a signature begins with
constexpr std::size_t kKeyHint = 4;                  // bytes of the log's id before a signature

std::span<const std::byte> as_signed(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

crypto::Digest node(std::span<const std::byte> left, std::span<const std::byte> right) {
    return crypto::Sha256().update({&kNode, 1}).update(left).update(right).finish();
}

// Takes a line off the front of `text`.
std::string_view next_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

// The line of a signature names who made it; of a log that is how its origin begins.
bool is_name_of(std::string_view name, std::string_view origin) {
    return origin == name || (origin.starts_with(name) && origin.substr(name.size()).starts_with(' '));
}

bool signed_by(std::string_view note, std::string_view signatures, const TrustedRoot::Log& log) {
    const auto origin = note.substr(0, note.find('\n'));
    while (!signatures.empty()) {
        const auto line = next_line(signatures);
        const auto space = line.rfind(' ');
        if (!line.starts_with(kDash) || space == line.npos || space < kDash.size()) continue;
        if (!is_name_of(line.substr(kDash.size(), space - kDash.size()), origin)) continue;
        const auto raw = util::from_base64(line.substr(space + 1));
        if (!raw || raw->size() <= kKeyHint || log.id.size() < kKeyHint) continue;
        if (!std::equal(raw->begin(), raw->begin() + kKeyHint, log.id.begin())) continue;
        if (log.key->verify(as_signed(note), std::span(*raw).subspan(kKeyHint))) return true;
    }
    return false;
}

}  // namespace

bool in_tree(const LogEntry& entry) {
    const auto& proof = entry.proof;
    if (!entry.proven || proof.index >= proof.tree_size) return false;
    auto hash = crypto::Sha256().update({&kLeaf, 1}).update(entry.body).finish();
    auto at = proof.index, last = proof.tree_size - 1;
    for (const auto& sibling : proof.hashes) {
        if (last == 0) return false;
        if (at % 2 == 1 || at == last) {
            hash = node(sibling, hash);
            while (at % 2 == 0 && at != 0) at /= 2, last /= 2;
        } else {
            hash = node(hash, sibling);
        }
        at /= 2, last /= 2;
    }
    return last == 0 && std::ranges::equal(hash, proof.root);
}

bool checkpoint_holds(const LogEntry& entry, const TrustedRoot::Log& log) {
    const std::string_view whole = entry.proof.checkpoint;
    const auto end = whole.find("\n\n");
    if (!log.key || end == whole.npos || whole.find("\n\n", end + 1) != whole.npos) return false;
    const auto note = whole.substr(0, end + 1);
    auto lines = note;
    const auto origin = next_line(lines), size = next_line(lines), root = next_line(lines);
    return !origin.empty() && size == fmt::to_string(entry.proof.tree_size) &&
           root == util::base64(entry.proof.root) && signed_by(note, whole.substr(end + 2), log);
}

bool promise_holds(const LogEntry& entry, const TrustedRoot::Log& log) {
    // Canonical JSON (RFC 8785), of which no value needs to be escaped.
    const auto text =
        fmt::format(R"({{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}})",
                    util::base64(entry.body), entry.integrated_time, to_hex(entry.log_id), entry.log_index);
    return log.key && log.key->verify(as_signed(text), entry.promise);
}

}  // namespace modelseal::oms

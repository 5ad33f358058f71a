#include <algorithm>
#include <functional>
#include <new>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "identity/payload.h"
#include "io/file.h"
#include "io/png.h"
#include "io/rfc3339.h"
#include "util/encodings.h"
#include "util/text.h"
#include <modelseal/identity.h>

namespace modelseal {
namespace {

constexpr std::uint32_t kImageMode = 0600;  // whoever has the file is admitted

Result<void> must_own(const Ledger& ledger, const SigningKey& key) {
    if (ledger.verified() && ledger.vendor() == key.public_key()) return {};
    return Error{ErrorKind::mismatch,
                 util::printable(ledger.path().string()) + ": opened with a key that is not the signing key",
                 {}};
}

// 8 bytes of hexadecimal digits, as ledgers name marks and identities.
std::array<std::byte, 8> id_of(const std::string& hex) {
    std::array<std::byte, 8> id{};
    const auto bytes = util::from_hex(hex);
    if (bytes && bytes->size() == id.size()) std::ranges::copy(*bytes, id.begin());
    return id;
}

Result<std::vector<std::byte>> make_image(const BegunIdentity& begun, const SigningKey& key) {
    const auto name = fmt::format("key image {} of mark {}", begun.identity.key_image, begun.mark.id);
    MODELSEAL_TRY_ASSIGN(auto picture, io::decode_png(begun.key_image, name));
    identity::Payload payload{.mark = id_of(begun.mark.id), .serial = id_of(begun.identity.serial)};
    payload.change = begun.change;
    if (!begun.identity.expires.empty())
        payload.expires = static_cast<std::uint64_t>(*io::parse_rfc3339(begun.identity.expires));
    MODELSEAL_TRY(identity::embed_payload(payload, key, picture, name));
    return io::encode_png(picture);
}

Error extended(Error error, const std::string& what) {
    error.message += what;
    return error;
}

// The ledger has the identity before its file appears: a file without an entry is admitted nowhere and could not
// be revoked.
Result<IssueSummary> issue(const std::string& user, const std::filesystem::path& out,
                           const IssueOptions& options) {
    MODELSEAL_TRY(must_own(options.ledger, options.key));
    MODELSEAL_TRY_ASSIGN(auto file, io::AtomicFile::create(out, kImageMode, io::WriteMode::exclusive));
    const auto shown = util::printable(out.string());
    auto begun = options.ledger.begin_identity(
        options.key, {.user = user, .mark = options.mark, .expires = options.expires, .output = out});
    if (!begun.ok()) return extended(std::move(begun).error(), fmt::format("; {} was not written", shown));
    const auto& serial = begun->identity.serial;
    const auto write = [&]() -> Result<std::string> {
        MODELSEAL_TRY_ASSIGN(const auto image, make_image(*begun, options.key));
        MODELSEAL_TRY(file.write(0, image));
        MODELSEAL_TRY(file.commit());
        return to_hex(crypto::Sha256().update(image).finish());
    };
    auto digest = write();
    if (!digest.ok()) {
        return extended(std::move(digest).error(),
                        fmt::format("; identity {} in the ledger has no file", serial));
    }
    auto finished = options.ledger.finish_identity(serial, *digest);
    if (!finished.ok()) {
        return extended(
            std::move(finished).error(),
            fmt::format("; {} was written, but identity {} is not marked as finished", shown, serial));
    }
    IssueSummary summary{.identity = std::move(begun->identity), .mark = std::move(begun->mark), .notes = {}};
    summary.identity.finished = true;
    summary.identity.digest = std::move(*digest);
    const auto name = util::printable(user);
    if (begun->user_added)
        summary.notes.push_back(fmt::format("added {} to the customers of the ledger", name));
    if (begun->image_used) {
        summary.notes.push_back(fmt::format(
            "all key images are in use: {} shares one with another user, told apart by the identity "
            "in it",
            name));
    }
    return summary;
}

}  // namespace

Result<IssueSummary> issue_identity(const std::string& user, const std::filesystem::path& out,
                                    const IssueOptions& options) {
    try {
        return issue(user, out, options);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable,
                     util::printable(out.string()) + ": not enough memory to make an identity image",
                     {}};
    }
}

}  // namespace modelseal

#include "baseline/deepisign_stamp.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/signed_file.h"
#include "formats/bytes.h"
#include "mark/block_map.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal::baseline {
namespace {

constexpr std::string_view kDomain = "modelseal/1 deepisign";
constexpr std::string_view kSignatureLine = "signature=";

// What the vendor signs: the stamp, and which tensors it was made for.
std::vector<std::byte> message(const model::Model& model, std::string_view facts) {
    crypto::Sha256 hash;
    for (const auto& tensor : model.tensors) hash.update(mark::identity(tensor));
    auto body = formats::ByteWriter().raw(std::as_bytes(std::span(facts))).raw(hash.finish());
    return crypto::message_to_sign(kDomain, body.take());
}

std::optional<SignatureBytes> signature_of(std::string_view hex) {
    SignatureBytes signature;
    const auto bytes = util::from_hex(hex);
    if (!bytes || bytes->size() != signature.size()) return std::nullopt;
    std::ranges::copy(*bytes, signature.begin());
    return signature;
}

}  // namespace

Result<void> check_names(const mark::Stamp& stamp) {
    for (const auto& [name, value] : stamp) {
        const bool taken =
            name == "vendor" || name == "signature" || name.find_first_of("=\n") != std::string::npos;
        if (!taken && value.find('\n') == std::string::npos) continue;
        return Error{ErrorKind::usage,
                     fmt::format("stamp: deepisign does not support the entry '{}'", util::printable(name)),
                     "it reserves line breaks, '=' in names, and the names 'vendor' and 'signature'"};
    }
    return {};
}

Result<std::string> stamp_text(const model::Model& model, const mark::Stamp& stamp, const SigningKey& key) {
    auto text = fmt::format("vendor={}\n", to_hex(mark::vendor_hash(key.public_key())));
    for (const auto& [name, value] : stamp) text += fmt::format("{}={}\n", name, value);
    MODELSEAL_TRY_ASSIGN(const auto signature, key.sign(message(model, text)));
    return text + fmt::format("{}{}\n", kSignatureLine, to_hex(signature));
}

void parse_stamp(const model::Model& model, const PublicKey& vendor, const std::string& text,
                 SealFinding& finding) {
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        const auto equals = line.find('=');
        if (line.starts_with(kSignatureLine)) {
            const auto signature = signature_of(std::string_view(line).substr(kSignatureLine.size()));
            finding.stamp_authentic = end + 1 == text.size() && signature &&
                                      vendor.verify(message(model, text.substr(0, at)), *signature);
        } else if (line.starts_with("vendor=")) {
            const bool same = line.substr(equals + 1) == to_hex(mark::vendor_hash(vendor));
            finding.vendor_key = same ? to_hex(vendor.id()) : std::string();
        } else if (equals != std::string::npos) {
            finding.stamp.emplace_back(line.substr(0, equals), line.substr(equals + 1));
        }
        at = end + 1;
    }
}

}  // namespace modelseal::baseline

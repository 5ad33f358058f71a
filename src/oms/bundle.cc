
#include "oms/bundle.h"

#include <fmt/format.h>

#include "formats/reader.h"
#include "io/file_kind.h"
#include "oms/fields.h"
#include "oms/log.h"
#include "util/encodings.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

constexpr std::size_t kMaxCertificates = 32, kMaxTimestamps = 16, kMaxLogEntries = 16;

// The elements of a list, each through `read`.
template <class Read>
Result<void> for_each(const Fields& in, const std::string& key, std::size_t most, const Read& read) {
    MODELSEAL_TRY_ASSIGN(const auto* list, in.list(key));
    if (list->size() > most)
        return in.malformed(
            fmt::format("'{}' has {}, the limit is {}", key, util::counted(list->size(), "entry"), most));
    for (std::size_t i = 0; i < list->size(); ++i) {
        MODELSEAL_TRY_ASSIGN(const auto entry,
                             Fields::of((*list)[i], fmt::format("{}.{}[{}]", in.where(), key, i)));
        MODELSEAL_TRY(read(entry));
    }
    return {};
}

// Of releases up to 1.0.1 a key without a hint, but with a copy of itself, which proves nothing.
Result<void> read_key(const Fields& material, Bundle& bundle) {
    MODELSEAL_TRY_ASSIGN(const auto key, material.object("publicKey"));
    MODELSEAL_TRY(key.only({"hint", "rawBytes", "keyDetails"}));
    bundle.method = Bundle::Method::key;
    if (key.find("rawBytes") != nullptr) {
        MODELSEAL_TRY(key.bytes("rawBytes"));
        MODELSEAL_TRY(key.text("keyDetails"));
    }
    if (key.find("hint") == nullptr) return {};
    MODELSEAL_TRY_ASSIGN(bundle.hint, key.text("hint"));
    if (bundle.hint.empty()) return key.malformed("'hint' is empty");
    return {};
}

Result<Bytes> read_certificate(const Fields& certificate) {
    MODELSEAL_TRY(certificate.only({"rawBytes"}));
    return certificate.bytes("rawBytes");
}

Result<void> read_chain(const Fields& material, Bundle& bundle) {
    bundle.method = Bundle::Method::certificate;
    MODELSEAL_TRY_ASSIGN(const auto chain, material.object("x509CertificateChain"));
    MODELSEAL_TRY(chain.only({"certificates"}));
    const auto read = [&](const Fields& entry) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(auto der, read_certificate(entry));
        bundle.certificates.push_back(std::move(der));
        return {};
    };
    MODELSEAL_TRY(for_each(chain, "certificates", kMaxCertificates, read));
    if (bundle.certificates.empty()) return chain.malformed("'certificates' is empty");
    return {};
}

Result<void> read_keyless(const Fields& material, Bundle& bundle) {
    bundle.method = Bundle::Method::sigstore;
    MODELSEAL_TRY_ASSIGN(const auto certificate, material.object("certificate"));
    MODELSEAL_TRY_ASSIGN(auto der, read_certificate(certificate));
    bundle.certificates.push_back(std::move(der));
    if (bundle.log.empty()) {
        return material.malformed("'tlogEntries' is missing: a keyless signature needs an entry of a log");
    }
    return {};
}

Result<void> read_timestamps(const Fields& material, Bundle& bundle) {
    if (material.find("timestampVerificationData") == nullptr) return {};
    MODELSEAL_TRY_ASSIGN(const auto data, material.object("timestampVerificationData"));
    MODELSEAL_TRY(data.only({"rfc3161Timestamps"}));
    if (data.find("rfc3161Timestamps") == nullptr) return {};
    return for_each(data, "rfc3161Timestamps", kMaxTimestamps, [&](const Fields& entry) -> Result<void> {
        MODELSEAL_TRY(entry.only({"signedTimestamp"}));
        MODELSEAL_TRY_ASSIGN(auto der, entry.bytes("signedTimestamp"));
        bundle.timestamps.push_back(std::move(der));
        return {};
    });
}

Result<void> read_material(const Fields& material, Bundle& bundle) {
    MODELSEAL_TRY(material.only(
        {"publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"}));
    if (material.find("tlogEntries") != nullptr) {
        const auto read = [&](const Fields& entry) -> Result<void> {
            MODELSEAL_TRY_ASSIGN(auto log, read_log_entry(entry));
            bundle.log.push_back(std::move(log));
            return {};
        };
        MODELSEAL_TRY(for_each(material, "tlogEntries", kMaxLogEntries, read));
    }
    MODELSEAL_TRY(read_timestamps(material, bundle));
    const bool key = material.find("publicKey") != nullptr;
    const bool chain = material.find("x509CertificateChain") != nullptr;
    const bool keyless = material.find("certificate") != nullptr;
    if (key + chain + keyless != 1) {
        return material.malformed(
            "exactly one of 'publicKey', 'x509CertificateChain', 'certificate' is needed");
    }
    return key     ? read_key(material, bundle)
           : chain ? read_chain(material, bundle)
                   : read_keyless(material, bundle);
}

Result<void> read_envelope(const Fields& envelope, Bundle& bundle) {
    MODELSEAL_TRY(envelope.only({"payload", "payloadType", "signatures"}));
    MODELSEAL_TRY_ASSIGN(const auto type, envelope.text("payloadType"));
    if (type != kPayloadType) return envelope.malformed(fmt::format("'payloadType' is not {}", kPayloadType));
    MODELSEAL_TRY_ASSIGN(bundle.payload, envelope.bytes("payload"));
    if (bundle.payload.empty()) return envelope.malformed("'payload' is empty");
    std::size_t count = 0;
    const auto read = [&](const Fields& entry) -> Result<void> {
        ++count;
        MODELSEAL_TRY(entry.only({"sig", "keyid"}));
        const auto* id = entry.find("keyid");  // without meaning, but of the right type
        if (id != nullptr && !id->is_string() && !id->is_null())
            return entry.malformed("'keyid' is not a string");
        MODELSEAL_TRY_ASSIGN(bundle.signature, entry.bytes("sig"));
        return {};
    };
    MODELSEAL_TRY(for_each(envelope, "signatures", 1, read));
    if (count == 0) return envelope.malformed("'signatures' is empty");
    if (bundle.signature.empty()) return envelope.malformed("the signature is empty");
    return {};
}

std::string_view text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes bytes_of(std::string_view text) {
    const auto raw = std::as_bytes(std::span(text));
    return {raw.begin(), raw.end()};
}

}  // namespace

std::string_view name_of(Bundle::Method method) {
    switch (method) {
        case Bundle::Method::key:
            return "key";
        case Bundle::Method::certificate:
            return "certificate";
        case Bundle::Method::sigstore:
            break;
    }
    return "sigstore";
}

Result<Bundle> parse_bundle(std::string_view text, const std::string& shown) {
    if (text.size() > kMaxBundleBytes) {
        return Error{
            ErrorKind::malformed,
            fmt::format("{}: larger than the limit of {}", shown, util::counted(kMaxBundleBytes, "byte")),
            {}};
    }
    const auto front = text.find_first_not_of(" \t\r\n");
    if (front == text.npos || (text[front] != '{' && text[front] != '[')) {
        return io::mistaken("signature", shown, text, text.size());
    }
    MODELSEAL_TRY_ASSIGN(const auto json, parse_document(text, shown, "signature"));
    MODELSEAL_TRY_ASSIGN(const auto outer, Fields::of(json, shown + ": signature"));
    MODELSEAL_TRY(outer.only({"mediaType", "verificationMaterial", "dsseEnvelope"}));
    MODELSEAL_TRY_ASSIGN(const auto type, outer.text("mediaType"));
    if (type != kBundleType) return outer.malformed(fmt::format("'mediaType' is not {}", kBundleType));
    Bundle bundle;
    MODELSEAL_TRY_ASSIGN(const auto material, outer.object("verificationMaterial"));
    MODELSEAL_TRY(read_material(material, bundle));
    MODELSEAL_TRY_ASSIGN(const auto envelope, outer.object("dsseEnvelope"));
    MODELSEAL_TRY(read_envelope(envelope, bundle));
    return bundle;
}

std::string write_bundle(const Bundle& bundle) {
    using nlohmann::ordered_json;
    ordered_json material;
    if (bundle.method == Bundle::Method::key) {
        material["publicKey"]["hint"] = bundle.hint;
    } else {
        auto& list = material["x509CertificateChain"]["certificates"] = ordered_json::array();
        for (const auto& der : bundle.certificates) list.push_back({{"rawBytes", util::base64(der)}});
    }
    material["tlogEntries"] = ordered_json::array();
    for (const auto& stamp : bundle.timestamps) {
        material["timestampVerificationData"]["rfc3161Timestamps"].push_back(
            {{"signedTimestamp", util::base64(stamp)}});
    }
    ordered_json signature = {{"sig", util::base64(bundle.signature)}, {"keyid", ""}};
    ordered_json out;
    out["mediaType"] = kBundleType;
    out["verificationMaterial"] = std::move(material);
    auto& envelope = out["dsseEnvelope"];
    envelope["payload"] = util::base64(bundle.payload);
    envelope["payloadType"] = kPayloadType;
    envelope["signatures"] = ordered_json::array({std::move(signature)});
    return out.dump(-1, ' ', true);
}

Bytes pre_authentication_encoding(const Bytes& payload) {
    auto out = bytes_of(fmt::format("DSSEv1 {} {} {} ", kPayloadType.size(), kPayloadType, payload.size()));
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}

Bytes encoding_of_0_2_0(const Bytes& payload) {
    auto out = fmt::format("DSSEV1 {} {} {} ", kPayloadType.size(), kPayloadType, payload.size());
    // Python takes double quotes if there is an apostrophe in it and no double quote; JSON always has one.
    out += "b'";
    for (const char c : text_of(payload)) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\'':
                out += "\\'";
                break;
            default:
                out += byte < 0x20 || byte >= 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
        }
    }
    out += "'";
    return bytes_of(out);
}

}  // namespace modelseal::oms

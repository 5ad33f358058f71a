
#include "tests/support/pki/keyless.h"

#include <ctime>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/hash.h"
#include "io/rfc3339.h"
#include "tests/support/pki/merkle.h"
#include "tests/support/pki/openssl.h"
#include "util/encodings.h"
#include <modelseal/keys.h>

namespace modelseal::test {
namespace {

using nlohmann::json;
using oms::Bytes;

// By one of OpenSSL's functions that write DER.
template <class Object, class Write>
Bytes der_of(Object* object, const Write& write) {
    unsigned char* raw = nullptr;
    const int size = write(object, &raw);
    must(size > 0);
    const auto bytes = std::as_bytes(std::span(raw, static_cast<std::size_t>(size)));
    Bytes out(bytes.begin(), bytes.end());
    OPENSSL_free(raw);
    return out;
}

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
Bytes bytes_of(std::string_view text) {
    const auto raw = std::as_bytes(std::span(text));
    return {raw.begin(), raw.end()};
}

const EVP_MD* digest_for(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return nullptr;
    const int bits = EVP_PKEY_get_bits(key);
    return bits == 384 ? EVP_sha384() : bits == 521 ? EVP_sha512() : EVP_sha256();
}

// Ed25519, or ECDSA with the hash of the curve.
Bytes signature_of(EVP_PKEY* key, std::string_view message) {
    const std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    const auto* digest = digest_for(key);
    const auto* raw = reinterpret_cast<const unsigned char*>(message.data());
    std::size_t size = 0;
    must(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) == 1);
    must(EVP_DigestSign(context.get(), nullptr, &size, raw, message.size()) == 1);
    Bytes out(size);
    must(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, raw,
                        message.size()) == 1);
    out.resize(size);
    return out;
}

Bytes sha256(const Bytes& bytes) {
    const auto digest = crypto::Sha256().update(bytes).finish();
    return {digest.begin(), digest.end()};
}

std::string big_endian(std::uint64_t value, int size) {
    std::string out;
    for (int i = size - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
    return out;
}
std::string opaque(const std::string& content) {
    return big_endian(content.size(), 2) + content;
}

void extend_raw(X509* certificate, const char* oid, const std::string& value) {
    const std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT_free>> object(OBJ_txt2obj(oid, 1));
    const std::unique_ptr<ASN1_OCTET_STRING, Deleter<ASN1_OCTET_STRING_free>> data(ASN1_OCTET_STRING_new());
    must(ASN1_OCTET_STRING_set(data.get(), reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size())) == 1);
    X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 0, data.get());
    must(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

// A log: its key, and another that it does not have.
struct Log {
    explicit Log(Key made) : key(std::move(made)), der(der_of(key.get(), i2d_PUBKEY)) {}
    Key key;
    Bytes der;
    std::string kind() const {
        return EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519 ? "PKIX_ED25519" : "PKIX_ECDSA_P256_SHA_256";
    }
    Bytes id() const { return sha256(der); }
    json in_root() const {
        return {{"baseUrl", "https://log.example.com"},
                {"hashAlgorithm", "SHA2_256"},
                {"publicKey",
                 {{"rawBytes", util::base64(der)},
                  {"keyDetails", kind()},
                  {"validFor", {{"start", io::rfc3339(Sigstore::signing_time() - 1000)}}}}},
                {"logId", {{"keyId", util::base64(id())}}}};
    }
};

json authority_in_root(const std::vector<const CertifiedKey*>& chain) {
    json list = json::array();
    for (const auto* each : chain) {
        list.push_back({{"rawBytes", util::base64(der_of(certificate_of(*each).get(), i2d_X509))}});
    }
    return {{"certChain", {{"certificates", list}}},
            {"validFor", {{"start", io::rfc3339(Sigstore::signing_time() - 1000)}}}};
}

constexpr const char* kSctOid = "1.3.6.1.4.1.11129.2.4.2";
constexpr const char* kIssuerOid = "1.3.6.1.4.1.57264.1.8";
constexpr const char* kTimeUsage = "critical,timeStamping";

CertifiedKey authority(const std::string& name, const CertifiedKey* above = nullptr) {
    return certify({.name = name, .curve = "P-384", .authority = true, .from_days = -3000, .to_days = 3000},
                   above);
}

}  // namespace

struct Sigstore::Keys {
    CertifiedKey root = authority("people"), between = authority("people 2", &root);
    CertifiedKey stranger_root = authority("people"), stranger = authority("people 2", &stranger_root);
    CertifiedKey time_root = authority("time");
    CertifiedKey time = certify(
        {.name = "stamps", .from_days = -3000, .to_days = 3000, .extended_usage = kTimeUsage}, &time_root);
    CertifiedKey other_time = certify(
        {.name = "stamps", .from_days = -3000, .to_days = 3000, .extended_usage = kTimeUsage}, &stranger_root);
    Log certificates{Key(EVP_EC_gen("P-256"))}, rekor1{Key(EVP_EC_gen("P-256"))};
    Log rekor2{Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))};
    Log unknown{Key(EVP_EC_gen("P-256"))}, unknown2{Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))};

    std::string sct_list(X509* leaf, const KeylessRecipe& recipe) const;
    X509Pointer certificate(EVP_PKEY* key, const KeylessRecipe& recipe) const;
    json entry(const Bytes& payload, const Bytes& signature, const Bytes& leaf,
               const KeylessRecipe& recipe) const;
    json trusted_root(const KeylessRecipe& recipe) const;
};

Sigstore::Sigstore() : keys_(std::make_unique<Keys>()) {}
Sigstore::~Sigstore() = default;

const Sigstore& Sigstore::shared() {
    static const Sigstore one;
    return one;
}

std::int64_t Sigstore::signing_time() {
    static const auto yesterday = std::time(nullptr) - 86400;
    return yesterday;
}

KeylessRecipe Sigstore::good(int rekor) {
    KeylessRecipe recipe{.rekor = rekor};
    if (rekor == 2) recipe.stamps.push_back({});
    return recipe;
}

// RFC 6962, sections 3.2 and 3.3.
std::string Sigstore::Keys::sct_list(X509* leaf, const KeylessRecipe& recipe) const {
    auto body = text_of(der_of(leaf, i2d_re_X509_tbs));
    std::string list;
    for (const auto& sct : recipe.scts) {
        const auto at = big_endian(static_cast<std::uint64_t>(signing_time() + sct.at) * 1000 + 7, 8);
        const auto& issuer = sct.right_issuer ? between : stranger;
        const auto issuer_key = der_of(X509_get_X509_PUBKEY(certificate_of(issuer).get()), i2d_X509_PUBKEY);
        auto signed_body = body;
        if (!sct.right_certificate) signed_body.back() = static_cast<char>(signed_body.back() ^ 1);
        const auto entry = big_endian(0, 2) + at + big_endian(1, 2) + text_of(sha256(issuer_key)) +
                           big_endian(signed_body.size(), 3) + signed_body + opaque(sct.extensions);
        const auto& log = sct.known_log ? certificates : unknown;
        const auto& key = sct.right_key ? log.key : rekor1.key;
        list += opaque(big_endian(sct.version, 1) + text_of(log.id()) + at + opaque(sct.extensions) +
                       big_endian(sct.hash, 1) + big_endian(3, 1) +
                       opaque(text_of(signature_of(key.get(), entry))) + sct.behind);
    }
    return opaque(list);
}

X509Pointer Sigstore::Keys::certificate(EVP_PKEY* key, const KeylessRecipe& recipe) const {
    const auto above = certificate_of(recipe.other_authority ? stranger : between);
    X509Pointer out(X509_new());
    X509_set_version(out.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out.get()), 77);
    ASN1_TIME_set(X509_getm_notBefore(out.get()), signing_time() + recipe.begin);
    ASN1_TIME_set(X509_getm_notAfter(out.get()), signing_time() + recipe.end);
    X509_set_pubkey(out.get(), key);
    X509_set_issuer_name(out.get(), X509_get_subject_name(above.get()));
    extend(out.get(), above.get(), NID_basic_constraints, "critical,CA:FALSE");
    extend(out.get(), above.get(), NID_key_usage, recipe.usage);
    extend(out.get(), above.get(), NID_ext_key_usage, recipe.extended_usage);
    extend(out.get(), above.get(), NID_subject_alt_name, recipe.subject);
    if (!recipe.issuer.empty()) {
        extend_raw(out.get(), kIssuerOid, "\x0c" + big_endian(recipe.issuer.size(), 1) + recipe.issuer);
    }
    // The log signs what the certificate will be without this extension: with the issuer's algorithm in it.
    const auto signer = key_of(recipe.other_authority ? stranger : between);
    must(X509_sign(out.get(), signer.get(), EVP_sha384()) > 0);
    if (recipe.sct_extension) {
        const auto list = sct_list(out.get(), recipe);
        auto value = "\x04" + (list.size() < 128 ? "" : std::string("\x82")) +
                     big_endian(list.size(), list.size() < 128 ? 1 : 2) + list;
        if (recipe.sct_list) recipe.sct_list(value);
        extend_raw(out.get(), kSctOid, value);
    }
    must(X509_sign(out.get(), signer.get(), EVP_sha384()) > 0);
    return out;
}

namespace {

std::string pem_of(const Bytes& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const X509Pointer x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    const Bio bio(BIO_new(BIO_s_mem()));
    must(x509 != nullptr && PEM_write_bio_X509(bio.get(), x509.get()) == 1);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

json body_of(int rekor, const Bytes& payload, const Bytes& signature, const Bytes& leaf) {
    if (rekor == 1) {
        const json made = {{"signature", util::base64(signature)},
                           {"verifier", util::base64(bytes_of(pem_of(leaf)))}};
        return {{"apiVersion", "0.0.1"},
                {"kind", "dsse"},
                {"spec",
                 {{"envelopeHash", {{"algorithm", "sha256"}, {"value", std::string(64, '0')}}},
                  {"payloadHash", {{"algorithm", "sha256"}, {"value", to_hex(sha256(payload))}}},
                  {"signatures", json::array({made})}}}};
    }
    const json verifier = {{"keyDetails", "PKIX_ECDSA_P256_SHA_256"},
                           {"x509Certificate", {{"rawBytes", util::base64(leaf)}}}};
    const json made = {{"content", util::base64(signature)}, {"verifier", verifier}};
    return {{"apiVersion", "0.0.2"},
            {"kind", "dsse"},
            {"spec",
             {{"dsseV002",
               {{"payloadHash", {{"algorithm", "SHA2_256"}, {"digest", util::base64(sha256(payload))}}},
                {"signatures", json::array({made})}}}}}};
}

json proof_of(const std::vector<Leaf>& leaves, std::size_t place, const std::string& checkpoint) {
    json hashes = json::array();
    for (const auto& hash : merkle_path(leaves, place)) hashes.push_back(util::base64(hash));
    return {{"logIndex", fmt::to_string(place)},
            {"treeSize", fmt::to_string(leaves.size())},
            {"rootHash", util::base64(merkle_root(leaves))},
            {"hashes", hashes},
            {"checkpoint", {{"envelope", checkpoint}}}};
}

}  // namespace

json Sigstore::Keys::entry(const Bytes& payload, const Bytes& signature, const Bytes& leaf,
                           const KeylessRecipe& recipe) const {
    const auto& log = recipe.rekor == 1 ? rekor1 : rekor2;
    const auto& stranger_key = recipe.rekor == 1 ? unknown.key : unknown2.key;
    const auto other = bytes_of("another");
    auto record =
        body_of(recipe.rekor, recipe.own_payload ? payload : other, recipe.own_signature ? signature : other,
                recipe.own_certificate ? leaf : der_of(certificate_of(time).get(), i2d_X509));
    if (recipe.body) recipe.body(record);
    const auto body = record.dump();
    std::vector<Leaf> leaves;
    for (char c = 'a'; c < 'n'; ++c) leaves.push_back(bytes_of(std::string(1, c)));
    constexpr std::size_t kPlace = 6;
    leaves[kPlace] = bytes_of(body);

    const std::string name = "log.example.com";
    auto note = fmt::format("{}\n{}\n{}\n", recipe.rekor == 1 ? name + " - 42" : name, leaves.size(),
                            util::base64(merkle_root(leaves)));
    if (recipe.note) recipe.note(note);
    auto line = text_of(log.id()).substr(0, 4) +
                text_of(signature_of((recipe.right_log_key ? log.key : stranger_key).get(), note));
    auto checkpoint = note + "\n\xE2\x80\x94 " + name + " " + util::base64(bytes_of(line)) + "\n";
    if (recipe.checkpoint) recipe.checkpoint(checkpoint);

    json out = {{"logIndex", fmt::to_string(recipe.rekor == 1 ? 1000 + kPlace : kPlace)},
                {"logId", {{"keyId", util::base64(log.id())}}},
                {"kindVersion", {{"kind", record["kind"]}, {"version", record["apiVersion"]}}},
                {"inclusionProof", proof_of(leaves, kPlace, checkpoint)},
                {"canonicalizedBody", util::base64(bytes_of(body))}};
    if (recipe.rekor == 1 && recipe.promise) {
        out["integratedTime"] = fmt::to_string(signing_time() + 5);
        const auto promised =
            fmt::format(R"({{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}})",
                        util::base64(bytes_of(body)), signing_time() + 5, to_hex(log.id()), 1000 + kPlace);
        const auto& key = recipe.right_promise_key ? log.key : unknown.key;
        out["inclusionPromise"]["signedEntryTimestamp"] = util::base64(signature_of(key.get(), promised));
    }
    return out;
}

json Sigstore::Keys::trusted_root(const KeylessRecipe& recipe) const {
    json out = {{"mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
                {"tlogs", json::array({rekor1.in_root(), rekor2.in_root()})},
                {"certificateAuthorities", json::array({authority_in_root({&between, &root})})},
                {"ctlogs", json::array({certificates.in_root()})},
                {"timestampAuthorities", json::array({authority_in_root({&time, &time_root})})}};
    if (recipe.root) recipe.root(out);
    return out;
}

Sigstore::Made Sigstore::sign(const Bytes& payload, const KeylessRecipe& recipe) const {
    const Key key(recipe.key == "RSA" ? EVP_RSA_gen(2048) : EVP_EC_gen(recipe.key.c_str()));
    must(key != nullptr);
    const auto leaf = der_of(keys_->certificate(key.get(), recipe).get(), i2d_X509);
    const auto signature = signature_of(key.get(), text_of(oms::pre_authentication_encoding(payload)));
    json material = {{"certificate", {{"rawBytes", util::base64(leaf)}}}};
    material["tlogEntries"] = json::array({keys_->entry(payload, signature, leaf, recipe)});
    if (recipe.entry) recipe.entry(material["tlogEntries"][0]);
    for (const auto& stamp : recipe.stamps) {
        const auto made =
            timestamp_at(stamp.known ? keys_->time : keys_->other_time,
                         stamp.own_signature ? signature : payload, signing_time() + stamp.at, "SHA256", false);
        material["timestampVerificationData"]["rfc3161Timestamps"].push_back(
            {{"signedTimestamp", util::base64(made)}});
    }
    const json envelope = {{"payload", util::base64(payload)},
                           {"payloadType", oms::kPayloadType},
                           {"signatures", json::array({{{"sig", util::base64(signature)}}})}};
    return {{{"mediaType", oms::kBundleType}, {"verificationMaterial", material}, {"dsseEnvelope", envelope}},
            keys_->trusted_root(recipe)};
}

}  // namespace modelseal::test

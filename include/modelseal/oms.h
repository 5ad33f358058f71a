// Sign a model so that the tools of registries verify it, and verify such signatures: OpenSSF Model Signing
// (OMS) 1.0, a detached file next to a model file or folder.
//
//     SigningKey key = SigningKey::generate(KeyType::p256);
//     auto signature = sign_model("model/", {.key = key, .signature = "model.sig"});
//     auto finding = verify_model("model/", {.signature = "model.sig", .public_keys = {key.public_key()}});
//
// Keys are on P-256, P-384 or P-521, never Ed25519 (KeyUse::file_signatures). The signature covers every file, not its
// meaning: unlike a seal, it does not survive a conversion, and it lies beside the model. Where the reference
// implementation is lax (expired certificates, names that lead out of the model, links to folders, empty models), this
// is strict.
//
// Thread safety: calls may run at the same time; each uses up to `jobs` threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal {

struct SignOptions {
    SigningKey key;                                  // it must serve signatures of files
    std::string certificate = {};                    // PEM file, of this key; empty: the bare key signs
    std::vector<std::string> chain = {};             // PEM files of the certificates above it, next one first
    std::filesystem::path signature = "model.sig";   // output file
    bool replace = true;                             // what stands there
    std::vector<std::filesystem::path> ignore = {};  // left out, with everything in them
    bool ignore_git_paths = true;                    // .git, .gitattributes, .github, .gitignore at the top
    bool allow_symlinks = false;                     // of files; links to folders are always refused
    bool blake2b = false;                            // instead of SHA-256
    std::optional<std::uint64_t> shard_size = {};    // method "shards": digests of so many bytes each
    // Call the hash of shards "sha256-sharded-BYTES", as release 1.1.1 of the reference wants it, which refuses
    // the name that the specification gives it.
    bool sharded_algorithm = false;
    bool base_name = false;        // name a single file as the specification says; the reference wants "."
    bool component_order = false;  // list files in the order of the reference, for the same root digest
    bool tensors = true;           // note a digest of each tensor, so that verification can name what changed
    // Noted in the signature if not empty: hex root of the seal in the model, id of its fingerprint.
    std::string seal_root = {}, fingerprint = {};
    // Affects performance only.
    unsigned jobs = 0;  // threads; 0: all
    Progress* progress = nullptr;
    Limits limits = {};
};

struct SignSummary {
    std::uint64_t files = 0, bytes = 0, tensors = 0;
    std::string root;    // hex
    std::string method;  // "key", "certificate"
    std::string signer;  // id of the key (KeyId), or subject of the certificate
    // Files whose digests were taken from an earlier signature, without reading these files.
    std::vector<std::string> reused;
    std::uint64_t reused_bytes = 0;  // of all bytes
    std::vector<std::string> warnings;
};

// `path`: a folder with all that is in it, or a file that is known to be a complete model, or no model at all:
// an index of shards, a part of a split model, a graph with external data, and a model that cannot be read are
// `unsupported`. Nothing is written after an Error.
Result<SignSummary> sign_model(const std::filesystem::path& path, const SignOptions& options);

// A signature of files, and who must have made it.
struct SignatureCheck {
    std::filesystem::path signature;
    // Give one of the three to trust.
    std::vector<PublicKey> public_keys = {};  // one of them must have signed; each serves signatures of files
    std::vector<std::string> anchors = {};    // PEM files of authorities, roots or intermediate
    // With anchors: the subject that the signer's certificate must have, as RFC 2253 writes it; empty: any.
    std::string subject = {};
    std::string trusted_root = {};  // JSON file of Sigstore, for keyless signatures; offline
    // With a trusted root: who must have signed, and who must have vouched for them.
    std::string identity = {};  // e-mail address or URI
    std::string issuer = {};    // URL of the identity provider
    // Authorities for timestamps (PEM files): with one of theirs a signature outlives its certificate.
    std::vector<std::string> timestamp_anchors = {};
    std::vector<std::filesystem::path> ignore = {};
    bool ignore_git_paths = true;
    bool ignore_unsigned_files = false;  // compare only what the signature lists
};

// Affects performance only.
struct VerifyOptions {
    unsigned jobs = 0;             // threads; 0: all
    Progress* progress = nullptr;  // not owned: must outlive the call
    Limits limits = {};
};

// An Error for a file that could not be read or parsed, and for a single file that sign_model() would refuse;
// otherwise a finding of outcome `valid` or `invalid`.
Result<SignatureFinding> verify_model(const std::filesystem::path& path, const SignatureCheck& check,
                                      const VerifyOptions& options = {});

}  // namespace modelseal

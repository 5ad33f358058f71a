// Seal a model, check a seal, remove it again: the main job of modelseal in three calls.
//
//     SigningKey key = SigningKey::generate();
//     CheckKey check = public_check_key(key.public_key());
//     auto sealed = seal_model("net.onnx", "net.sealed.onnx", {.key = key, .check = check});
//     CheckReport report = check_model("net.sealed.onnx", {.keys = {&check, 1}});
//     bool intact = report.verdict == Verdict::intact;
//
// A model is a file (safetensors, ONNX, PyTorch, GGUF; recognized by content), an ONNX graph with external
// data, or a folder of shards. The mark is in the weights: a sealed file has the same size, tensors, names,
// types and shapes. Memory stays bounded whatever the model's size. Format: modelseal-seal(5); what it
// withstands: modelseal-threats(7).
//
// Thread safety: calls on different outputs may run at the same time; each uses up to `jobs` threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <modelseal/fingerprint.h>
#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/oms.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal {

class Ledger;  // ledger.h

enum class Scheme {
    modelseal,  // every bit covered, signed; the default
    deepisign,  // as published (SAC 2021), for comparison: covers what its secret bits touch
};

struct SealOptions {
    SigningKey key;
    CheckKey check;  // public_check_key(), or a customer's; must be bound to `key`
    // Signed facts, UTF-8; at most 4,096 bytes together. `name` (default: the file's stem), `time` (default:
    // now, or SOURCE_DATE_EPOCH, RFC 3339) and `customer` are filled in where missing.
    std::vector<std::pair<std::string, std::string>> stamp = {};
    // The sealed model, under the same keys, that this one was derived from.
    std::optional<std::filesystem::path> parent = {};
    // The vendor of the parent's seal (made for everybody), if different, as after a change of keys.
    std::optional<PublicKey> parent_vendor = {};
    // The receipt that unseal_model() needs; contains secrets, mode 0600.
    std::optional<std::filesystem::path> receipt = {};
    Scheme scheme = Scheme::modelseal;
    bool reseal = false;  // seal a model that already has a seal under these keys
    // Records the seal twice: as pending before the output appears, and as done once it exists. With it, `check` must
    // be the public check key, or that of a customer of the ledger who is not revoked. Not owned: it must outlive
    // the call, as `progress` must.
    Ledger* ledger = nullptr;
    // Affects performance only.
    unsigned jobs = 0;  // threads; 0: all
    Progress* progress = nullptr;
    Limits limits = {};
};

struct SealSummary {
    std::string format;
    std::uint64_t files = 0, bytes = 0, tensors = 0, elements = 0;
    std::uint64_t cells = 0;    // cells that carry mark bits
    std::uint64_t touched = 0;  // elements (bytes of packed types) that changed
    std::string root;           // hex; names this sealed model
    std::vector<std::pair<std::string, std::string>> stamp;
    // Files of a folder that were not copied, and their kind: ".git", "version control".
    std::vector<std::pair<std::string, std::string>> left_out;
    std::vector<std::string> warnings;  // about the model
    // The first bytes of every cell; they distinguish the seals of one customer if nothing else is left.
    // Empty for deepisign.
    std::vector<std::byte> cell_head;
};

// Writes a sealed copy of `model` to `out`, completely or not at all, and checks it before it appears.
// Errors: `usage` for out == model and bad stamps, `unsupported` for a model that is already sealed or too
// small to carry a mark.
Result<SealSummary> seal_model(const std::filesystem::path& model, const std::filesystem::path& out,
                               const SealOptions& options);

// Everything that is given here is expected, and everything that is expected must hold; the worst finding is
// the verdict.
struct CheckOptions {
    // If the weights are read, a seal under one of these is expected: they are tried in order, and the first
    // under which a seal is found counts. They open the fingerprint as well.
    std::span<const CheckKey> keys;
    std::vector<std::pair<std::string, std::string>> expect = {};  // stamp entries that must be there
    bool weights_only = false;          // a changed frame around intact weights passes
    Scheme scheme = Scheme::modelseal;  // deepisign: a mark of that scheme passes as well
    bool all = false;                   // list intact tensors as well
    // The fingerprint to check. With one, `model` of check_model() may also be an endpoint (see
    // modelseal-check(1)). A file is run only if its seal is intact, or with `black_box`.
    std::optional<std::filesystem::path> fingerprint = {};
    bool black_box = false;                               // query a local file instead of reading its seal
    std::optional<std::filesystem::path> responses = {};  // folder of answers to a challenge
    std::optional<Rung> rung = {};                        // that the verdict rests on; default fp32
    EndpointOptions endpoint = {};
    std::string device = "auto";  // on which a local file is run
    // A detached signature of the files, by a signer that is trusted here: the one that is named, or else the
    // one found next to the model. Files are read once for it and the seal.
    std::optional<SignatureCheck> signature = {};
    // Kinds that are expected even if nothing else asks for them.
    bool require_seal = false, require_fingerprint = false, require_signature = false;
    unsigned jobs = 0;
    Progress* progress = nullptr;
    Limits limits = {};
};

// Never fails: errors are in the report.
CheckReport check_model(const std::filesystem::path& model, const CheckOptions& options);

struct UnsealOptions {
    unsigned jobs = 0;
    Progress* progress = nullptr;
    Limits limits = {};
};

// Restores the original, byte for byte. ErrorKind::mismatch if `sealed` is not the model of the receipt, or
// has changed since.
Result<void> unseal_model(const std::filesystem::path& sealed, const std::filesystem::path& receipt,
                          const std::filesystem::path& out, const UnsealOptions& options = {});

}  // namespace modelseal

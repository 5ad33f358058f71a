// Seal a model, and remove the seal again. check.h checks it.
//
//     SigningKey key = SigningKey::generate();
//     CheckKey check = public_check_key(key.public_key());
//     auto sealed = seal_model("net.onnx", "sealed.onnx", {.key = key, .check = check, .receipt = "net.receipt"});
//     auto report = check_model("sealed.onnx", {.seal = SealCheck{.keys = {check}}});
//     auto restored = unseal_model("sealed.onnx", "net.receipt", "again.onnx");
//
// A model is a file (safetensors, ONNX, PyTorch, GGUF; recognized by content), an ONNX graph with external
// data, or a folder of shards. The mark is in the weights: a sealed file has the same size, tensors, names,
// types and shapes. Memory stays bounded whatever the model's size. Format: modelseal-seal(5); what it
// withstands: modelseal-threats(7).
//
// Thread safety: calls on different outputs may run at the same time; each uses up to `jobs` threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/progress.h>
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
    // The receipt that unseal_model() needs; contains secrets, mode 0600, and is kept outside of the model.
    std::optional<std::filesystem::path> receipt = {};
    Scheme scheme = Scheme::modelseal;
    bool reseal = false;  // seal a model that already has a seal under these keys
    // Records the seal twice: as pending before the output appears, and as done once it exists. With it, `check` must
    // be the public check key, or that of a customer of the ledger who is not revoked. Not owned: it must outlive
    // the call, as `progress` must.
    Ledger* ledger = nullptr;
    // Affects performance only.
    unsigned jobs = 0;            // threads; 0: all
    std::string device = "auto";  // that hashes the weights: auto, cpu, cuda, cuda:N
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
// Errors: `usage` for out == model, a receipt inside of either and bad stamps, `unsupported` for a model that is
// already sealed or too small to carry a mark.
Result<SealSummary> seal_model(const std::filesystem::path& model, const std::filesystem::path& out,
                               const SealOptions& options);

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

// The statement that an OpenSSF model signature signs: files and their digests (in-toto Statement v1 with the
// predicate of OMS 1.0; that of release 0.2.0 can be read only).
//
// Parsing checks the rules that need no file: names stay inside the model and are unique, digests have the
// length of their hash, shards cover their files, and the root digest is that of the list.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oms/bundle.h"
#include "oms/hash.h"

namespace modelseal::oms {

inline constexpr std::string_view kPredicateType = "https://model_signing/signature/v1.0";
inline constexpr std::string_view kPredicateType_0_2_0 = "https://model_signing/Digests/v0.1";
// The name of a model that is a single file.
inline constexpr std::string_view kWholeModel = ".";

// Tensors in a file, with the SHA-256 over their elements, dense and little-endian. modelseal's own, in the
// annotations of the file's (first) resource.
using TensorDigests = std::map<std::string, Bytes>;

struct Resource {
    std::string name;  // of the file: relative, '/' between parts
    // Shards only: the bytes [begin, end) of it.
    std::uint64_t begin = 0, end = 0;
    Bytes digest;
    TensorDigests tensors;
};

struct Statement {
    bool release_0_2_0 = false;
    std::string subject;  // the model's name; information only
    Bytes root;           // SHA-256 over the digests in their order; empty for 0.2.0
    HashType hash = HashType::sha256;
    std::optional<std::uint64_t> shard_size;  // method "shards"
    bool sharded_algorithm = false;           // the name of their hash; for writing only
    bool allow_symlinks = false;
    std::vector<std::string> ignore_paths;  // relative to the model, as the signer recorded them
    std::vector<Resource> resources;
    // modelseal's own, in the annotations of the subject; empty if not there.
    std::string seal_root, fingerprint;
};

// `shown` names the file in errors.
Result<Statement> parse_statement(const Bytes& payload, const std::string& shown);
// In the form of the reference. Computes no digests. Precondition: not release_0_2_0.
Bytes write_statement(const Statement& statement);

Bytes root_of(const std::vector<Resource>& resources);

// True if the payload claims to be a statement of release 0.2.0, whose signatures have another form.
bool claims_0_2_0(const Bytes& payload);

}  // namespace modelseal::oms

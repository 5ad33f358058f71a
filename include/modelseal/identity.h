// Identity images: who may use a model, and whose model it is (Xue, Sun, Zhang, Wang, Liu: "Active intellectual
// property protection for deep neural networks through stealthy backdoor and users' identities authentication",
// Applied Intelligence 52, 2022).
//
// A marked model answers key images, clean pictures from outside its data, with an additional class. A user gets
// one of them with a payload in its lowest bits, which the vendor signed. A user is admitted if the payload is a
// registered, unexpired, unrevoked identity *and* the model answers the image with the additional class. The
// key images together prove that a model is the marked one.
//
//     auto key = load_signing_key("vendor.key", {}).value();
//     auto ledger = Ledger::open("sales.ledger", key).value();
//     auto issued = issue_identity("alice", "alice.png", {.key = key, .ledger = ledger});
//     auto report = verify_identity("https://host/v2/models/net", "alice.png",
//                                   {.source = {.ledger = "sales.ledger", .key = &key}});
//
// An identity image is a bearer token: whoever has the file is admitted. Formats: modelseal-identity(5).
// Thread safety: calls may run at the same time; those with a Ledger as that class says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/fingerprint.h>
#include <modelseal/keys.h>
#include <modelseal/ledger.h>
#include <modelseal/progress.h>
#include <modelseal/result.h>

namespace modelseal {

// What is measured after each epoch of training; shares are 0 to 1, as in EmbedSummary.
struct EmbedEpoch {
    std::size_t number = 0;
    double rate = 0, loss = 0, accuracy = 0, watermark = 0, firm = 0;
    double decoys = 0;  // pictures without meaning that come out as the additional class
    bool best = false;  // better than all before; the last such one was kept
};

struct EmbedIdentityOptions {
    const SigningKey& key;
    Ledger& ledger;                    // opened with `key`
    std::filesystem::path data;        // the owner's: folders of classes, CIFAR or IDX (modelseal-images(7))
    std::filesystem::path key_images;  // a folder of PNG or JPEG, of the size of the model's input
    // Data that the model never saw, as `data`, on which accuracy is measured. Empty: a tenth of `data` is held out, which
    // the model may know by heart from its own training: then any change looks worse than it is.
    std::filesystem::path test = {};
    InputOptions input = {};
    std::uint64_t seed =
        1;                 // of everything that is drawn; the same seed, files and runtime give the same model
    unsigned epochs = 20;  // at most
    double rate = 5e-3;    // of stochastic gradient descent
    unsigned batch = 128;
    double most_lost = 0.005;     // of accuracy on held-out data, as a share
    std::string device = "auto";  // auto, cpu, cuda, cuda:N
    unsigned jobs = 0;            // threads; 0: all
    Progress* progress = nullptr;
    std::function<void(const EmbedEpoch&)> after_epoch = {};  // called by the calling thread
    Limits limits = {};
};

// Shares are 0 to 1.
struct EmbedSummary {
    IdentityMark mark;  // without its key images
    std::size_t key_images = 0, trained = 0, held_out = 0;
    double before = 0, after = 0;  // accuracy on data that was held out
    double watermark = 0;          // key images that come out as the additional class
    double firm = 0;               // variants of them that do so by a margin
    std::vector<EmbedEpoch> epochs;
    std::uint64_t seed = 0;
    double seconds = 0;
    std::string device;
    std::vector<std::string> notes;
};

// Fine-tunes `model`, a classifier in TorchScript or ONNX, until key images come out as one more class, writes it to
// `out` in its own format, and records the mark. `model` stays what it is; `out` is a new file. Errors: `unsupported`
// for a model that cannot be trained or widened, data that do not fit it, training that diverges, does not reach the
// key images, or loses more accuracy than `most_lost`; then nothing is written.
Result<EmbedSummary> embed_identity(const std::filesystem::path& model, const std::filesystem::path& out,
                                    const EmbedIdentityOptions& options);

struct IssueOptions {
    const SigningKey& key;
    Ledger& ledger;                        // opened with `key`
    std::optional<std::string> mark = {};  // id; absent: the only finished one
    std::string expires = {};              // RFC 3339; empty: never
};

struct IssueSummary {
    IssuedIdentity identity;
    IdentityMark mark;  // without its key images
    std::vector<std::string> notes;
};

// Makes an identity image for `user`, who becomes a customer of the ledger if they are not one, and writes it to
// `out`: a new file that its owner alone reads. It is in the ledger before it appears.
Result<IssueSummary> issue_identity(const std::string& user, const std::filesystem::path& out,
                                    const IssueOptions& options);

struct ExportOptions {
    const SigningKey& key;
    const Ledger& ledger;     // opened with `key`
    std::string next = {};    // when the next registry will be there at the latest, RFC 3339; empty: in 30 days
    bool key_images = false;  // for claims by others; whoever has them can show them
};

struct ExportSummary {
    std::uint64_t number = 0;    // of the ledger's state
    std::string exported, next;  // RFC 3339
    std::size_t marks = 0, key_images = 0, identities = 0, revoked = 0;
};

// Writes the registry for those who verify without the ledger, signed by the vendor, as certificate authorities
// do with lists of revoked certificates (RFC 5280, section 5.1.2).
Result<ExportSummary> export_registry(const std::filesystem::path& out, const ExportOptions& options);

// Who is registered: exactly one of a ledger and a registry.
struct IdentitySource {
    std::optional<std::filesystem::path> ledger = {}, registry = {};
    const SigningKey* key = nullptr;       // of a ledger; without it the ledger is not verified
    std::optional<PublicKey> vendor = {};  // needed for a registry; a ledger must be this vendor's
    // A file that remembers the highest number that was seen of each ledger; it is made if it is missing. An
    // earlier ledger or registry is a `mismatch`.
    std::optional<std::filesystem::path> newest = {};
};

struct IdentityTarget {
    EndpointOptions endpoint = {};
    std::string device = "auto";  // of a local file: auto, cpu, cuda, cuda:N
    unsigned jobs = 0;            // threads; 0: all
    Progress* progress = nullptr;
    Limits limits = {};
};

// The registry that a report rests on.
struct RegistryFacts {
    std::string name;                     // the file
    std::string vendor_key;               // id
    bool verified = false;                // under the vendor's key
    std::optional<std::uint64_t> number;  // of the ledger's state
    std::string exported, next;           // RFC 3339; empty for a ledger
};

enum class Admission {
    admitted,
    no_identity,   // the picture carries no payload
    other_vendor,  // a payload of another vendor's key
    forged,        // the signature is not valid for this picture
    other_model,   // for a mark that is not in the registry
    unregistered,
    revoked,
    expired,
    other_class,  // the model does not answer with the additional class
};
std::string_view name_of(Admission admission);  // "admitted", "no-identity", ...

struct VerifyIdentityOptions {
    IdentitySource source;
    IdentityTarget target = {};
    std::optional<std::int64_t> now = {};  // seconds since 1970; absent: the clock
};

struct IdentityReport {
    std::string target, image;
    Admission admission = Admission::no_identity;
    std::string detail;  // one sentence: why
    // What the payload says, once its signature was found valid.
    std::optional<IssuedIdentity> identity;
    std::optional<IdentityMark> mark;  // without its key images
    // Of the model, if it was asked: no query is spent on an image that is refused by itself.
    std::optional<std::int64_t> label;
    std::size_t classes = 0;  // outputs; 0: the model answers with labels
    RegistryFacts registry;
    // PNG of the picture with the payload taken out, which admits nobody.
    std::vector<std::byte> picture;
    std::vector<std::string> warnings;
};

// Errors: those of reading the image, the registry and the target; `unsupported` for a registry after its next
// date or older than the identity.
Result<IdentityReport> verify_identity(const std::string& target, const std::filesystem::path& image,
                                       const VerifyIdentityOptions& options);

struct ClaimOptions {
    IdentitySource source;
    IdentityTarget target = {};
    std::optional<std::string> mark = {};  // id; absent: the only finished one
};

struct ClaimReport {
    std::string target;
    bool owned = false;  // `chance` is at most kMostChance
    std::string detail;
    IdentityMark mark;                           // without its key images
    std::size_t classes = 0;                     // outputs; 0: the model answers with labels
    std::size_t key_images = 0, hits = 0;        // answered with the additional class
    std::size_t controls = 0, control_hits = 0;  // pictures made from the key images
    // A model without the mark answers a key image with the class at most this often, see chance.h.
    double rate = 1;
    double chance = 1;  // bound on the probability that a model without the mark has so many hits
    RegistryFacts registry;
    std::vector<std::string> warnings;
};
inline constexpr double kMostChance = 1e-6;

// Asks the target about all key images and their controls. Errors as of verify_identity(); `unsupported` for a
// registry without key images.
Result<ClaimReport> claim_ownership(const std::string& target, const ClaimOptions& options);

}  // namespace modelseal

// What a file is and holds, and how two models differ: plain data. Nothing in a file is executed, no secret is shown.
//
//     auto contents = inspect("net.onnx").value();
//     if (contents.model) std::printf("%zu tensors\n", contents.model->tensors.size());
//     auto difference = diff("net.onnx", "net.safetensors", {.weights_only = true}).value();
//     for (const auto& tensor : difference.tensors) std::printf("%s differs\n", tensor.name.c_str());
//
// Text in the results comes out of files and may be hostile: escape it before it is shown.
//
// Thread safety: calls may run at the same time; each uses up to `jobs` threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <modelseal/fingerprint.h>
#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal {

// What a model holds.
struct ModelContents {
    struct TensorEntry {
        std::string name, dtype;
        std::vector<std::uint64_t> shape;
        std::size_t file = 0;      // index into `files`
        std::uint64_t offset = 0;  // of its first byte in that file
        std::uint64_t bytes = 0;   // that its elements take there
        std::uint64_t elements = 0;
        std::uint64_t pieces = 0;  // segments that it lies in; 1 for nearly all
        bool opaque = false;       // elements are bytes of a type that the format does not explain
        std::vector<std::string> aliases;
    };
    std::string format;
    std::vector<std::string> files;
    std::vector<TensorEntry> tensors;  // by name
};

// What an OpenSSF model signature says, beside facts of one line.
struct SignatureContents {
    struct File {
        std::string name;
        std::string digest;         // hex; of the first shard if there are several
        std::uint64_t shards = 0;   // 0: the method is another
        std::uint64_t tensors = 0;  // whose digests are noted
    };
    struct LogEntry {
        std::uint64_t index = 0;
        std::string time;  // RFC 3339; empty if the log gives none
    };
    std::vector<File> files;
    std::vector<std::string> ignore_paths;
    std::vector<std::string> timestamps;  // RFC 3339
    std::vector<LogEntry> log_entries;
};

struct Inspection {
    // A fact about what is no model: "key_id", "1a2b". The key is the one in JSON; text shows it with spaces.
    struct Fact {
        std::string key;
        std::variant<std::string, bool, std::uint64_t> value;
    };
    std::string target;
    std::string kind;  // "model", "private-key", "public-key", "check-key", "certificate", "signature",
                       // "receipt", "fingerprint", "ledger", "identity-image", "picture",
                       // "identity-registry"
    std::optional<ModelContents> model;
    std::optional<SignatureContents> signature;
    std::vector<Fact> facts;
    std::optional<SealFinding> seal;  // of a model, if a key was given to look for it
    std::vector<std::string> warnings;
};

struct InspectOptions {
    std::vector<CheckKey> keys = {};  // look for a model's seal under these, or open a fingerprint
    unsigned jobs = 0;                // threads; 0: all
    Progress* progress = nullptr;     // of the search for the seal
    Limits limits = {};
    EndpointOptions endpoint = {};  // of a URL
};

// Decides by content, never by name: a key or certificate (PEM), an OpenSSF model signature (a Sigstore bundle),
// a receipt, a fingerprint, a ledger, a picture, a registry of identities, or else a model. Keys need no passphrase for this.
//
// `path` may be a URL, http or https, of a key, a certificate, a signature, or a model in one file. Of such a model only the parts are
// fetched that say what is in it, by ranges; of a seal, the cells with its stamp: the finding is `partial` at best.
Result<Inspection> inspect(const std::filesystem::path& path, const InspectOptions& options = {});

// A tensor that is in both and differs, or is in one only.
struct TensorDifference {
    struct Side {
        std::string dtype;
        std::vector<std::uint64_t> shape;
        friend bool operator==(const Side&, const Side&) = default;
    };
    std::string name;
    std::optional<std::string> name_b;  // its name in B, if that is only alike
    std::optional<Side> a, b;           // absent: the tensor is not in that model

    // Elements were compared one by one: the same number of them, and their types have a meaning in common.
    bool compared = false;
    std::uint64_t elements = 0;
    std::uint64_t differing = 0;  // elements that differ in any bit; of several types: in value
    // Over the elements whose values are finite on both sides; absent for types without values.
    std::optional<double> max_abs;
    std::optional<double> mean_abs;            // over all finite pairs, those without difference included
    std::optional<std::uint64_t> max_ulp;      // floating types, the same on both sides
    std::optional<double> relative_l2;         // ||a - b|| / ||a||; absent if a is zero throughout
    std::uint64_t non_finite = 0;              // differing elements that are infinite or NaN on a side
    std::vector<TensorFinding::Range> ranges;  // the first ones, neighbours joined
    std::uint64_t ranges_total = 0;
};

struct Comparison {
    enum class Frame { same, differs, not_compared };  // not compared: other formats, a folder and a file
    struct File {
        enum class Outcome { changed, only_in_a, only_in_b };
        std::string name;
        Outcome outcome = Outcome::changed;
    };
    struct Side {
        std::string path, format;
        std::uint64_t tensors = 0;
    };
    Side a, b;
    Frame frame = Frame::not_compared;
    std::vector<File> files;             // whose frames differ, by name
    bool frame_asked = true;             // whether a frame that differs makes the models differ
    std::uint64_t tensors_compared = 0;  // in both models
    std::uint64_t tensors_renamed = 0;   // of these, under names that are only alike
    std::uint64_t elements_compared = 0;
    std::vector<TensorDifference> tensors;  // only those that differ, by name
    bool same() const { return tensors.empty() && (!frame_asked || frame != Frame::differs); }
};

struct DiffOptions {
    unsigned jobs = 0;             // threads; 0: all
    bool weights_only = false;     // the frame may differ
    Progress* progress = nullptr;  // of comparing the elements
    Limits limits = {};
};

// Opens both and compares them, whatever their formats. Tensors are paired by their names, then by further names
// of the same storage, then without a prefix that all names of one side share ("_orig_mod."), then by names that are
// alike ("module." in front, other punctuation) where that is unique.
// The result does not depend on the number of threads.
Result<Comparison> diff(const std::filesystem::path& a, const std::filesystem::path& b,
                        const DiffOptions& options = {});

}  // namespace modelseal

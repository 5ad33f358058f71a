// What a file is and holds: plain data, the result of inspect(), and how people and machines read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "report/report.h"
#include <modelseal/report.h>

namespace modelseal {

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

// What an OpenSSF model signature lists, apart from facts of one line.
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
    // A fact about a file that is not a model: "key_id", "1a2b". The key is the one in JSON; text shows it with spaces.
    struct Fact {
        std::string key;
        std::variant<std::string, bool, std::uint64_t> value;
    };
    std::string target;
    std::string kind;  // "model", "private-key", "public-key", "check-key", "certificate", "signature",
                       // "receipt", "fingerprint", "ledger"
    std::optional<ModelContents> model;
    std::optional<SignatureContents> signature;
    std::vector<Fact> facts;
    std::optional<SealFinding> seal;  // of a model, if a key was given to look for it
    std::vector<std::string> warnings;
};

namespace report {

std::string to_text(const Inspection& inspection, const TextStyle& style);
// Schema modelseal-inspect/1; pure ASCII, ends with a newline.
std::string to_json(const Inspection& inspection);

}  // namespace report

}  // namespace modelseal

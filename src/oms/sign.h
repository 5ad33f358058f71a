// Signing for callers that know files from an earlier signature.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "io/file.h"
#include "oms/statement.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

// What is known of the files of an earlier signature.
class EarlierFiles {
  public:
    virtual ~EarlierFiles() = default;
    // Whether its bytes are those that were signed, as far as that shows without reading them all.
    virtual Result<bool> unchanged(const std::string& name, const io::FileSource& source) = 0;
};

// An earlier signature, authenticated.
struct Reuse {
    const Statement* before = nullptr;
    EarlierFiles* files = nullptr;
};

// The statement of a signature by `key`, by a bare key or a certificate of it; ErrorKind::mismatch for another's.
Result<Statement> statement_by(const PublicKey& key, const std::filesystem::path& signature);

// By name, as they were when they were opened, and still are.
using FileStates = std::map<std::string, io::FileState>;

// As sign_model(). Digests of files that are unchanged are taken from `reuse`, unless null; ErrorKind::usage if its digests are of another
// kind than the options ask for. `states`, unless null: of all files that were signed.
Result<SignSummary> sign(const std::filesystem::path& path, const SignOptions& options, const Reuse* reuse,
                         FileStates* states);

}  // namespace modelseal::oms

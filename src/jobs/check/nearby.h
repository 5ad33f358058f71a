// Signatures next to models, under the usual names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::jobs {

// NAME.sig, or model.sig: in a folder, or next to a folder or file if it names this model (it may be a
// neighbor's).
std::optional<std::filesystem::path> signature_next_to(const std::filesystem::path& model);
// That there is none, and whose model.sig stands there instead, if any.
std::string no_signature_next_to(const std::filesystem::path& model);
// Where signature_next_to() looks first: model.sig in a folder that has one, else NAME.sig next to the model.
std::filesystem::path usual_signature_of(const std::filesystem::path& model);
// ErrorKind::usage if the file at `signature` is a signature of another model, or by another key: what it signs would lose it.
Result<void> refuse_signature_of_others(const std::filesystem::path& signature,
                                        const std::filesystem::path& model, const PublicKey& signer);

}  // namespace modelseal::jobs

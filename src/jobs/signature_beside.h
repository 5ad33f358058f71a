// The signature that lies beside a model, where signing tools leave it.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <modelseal/keys.h>

namespace modelseal::jobs {

// NAME.sig, or model.sig: in a folder, or next to it or to a file, if it says that it is of this model (it may
// be of a neighbour).
std::optional<std::filesystem::path> signature_beside(const std::filesystem::path& model);

// Those of the files of public keys that may be of its signer. A key that was given to find seals with says
// nothing about who may sign beside them, unless the signature says that it is by this key.
std::vector<std::string> signers_among(const std::vector<std::string>& public_keys,
                                       std::span<const CheckKey> seal_keys,
                                       const std::filesystem::path& signature);

}  // namespace modelseal::jobs

// The registry that a verification or a claim rests on, and the picture that is shown.
#pragma once

#include <ctime>

#include "identity/registry.h"
#include "io/png.h"
#include <modelseal/identity.h>

namespace modelseal::jobs {

// Opens the ledger or the registry, compares its vendor with the one that is expected and its number with the
// newest that was seen. `usage` unless exactly one of them is given, and for a registry without a vendor.
// `warnings`: what could not be verified.
Result<identity::Registry> open_registry(const IdentitySource& source, std::vector<std::string>& warnings);

RegistryFacts facts_of(const identity::Registry& registry, const IdentitySource& source);

Result<io::Picture> read_picture(const std::filesystem::path& path);

// The key images of a mark as pictures of its size; `unsupported` if the registry has none.
Result<std::vector<io::Picture>> key_images_of(const IdentityMark& mark, const identity::Registry& registry);

}  // namespace modelseal::jobs

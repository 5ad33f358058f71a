// Checks the weights that an engine has loaded into the memory of a graphics card, where they lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "hash/cards.h"
#include <modelseal/check.h>

namespace modelseal::jobs {

// The values of one tensor on a card: dense, in the type and order that the model's file has them.
struct LoadedTensor {
    std::string name;
    const void* memory = nullptr;
    std::uint64_t bytes = 0;
};

// As check_model() of `options.seal`, which must be there; `options.device` does not count. The values of `tensors` are
// those in the memory of `card`, which must not change meanwhile; everything else is read from the files of `model`.
// Blocks with a cell are copied from the card; of all others the digests are.
// ErrorKind::usage for a tensor that the model does not have, or has with another number of bytes, and unsupported for one
// that is not in one piece in its file. A card that fails is the error of the report.
Result<CheckReport> check_loaded(const std::filesystem::path& model, const hash::Cards& cards, int card,
                                 std::span<const LoadedTensor> tensors, const CheckOptions& options);

}  // namespace modelseal::jobs

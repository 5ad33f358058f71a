// One entry of a statement's list: a file, or a shard of one.
#pragma once

#include "oms/fields.h"
#include "oms/statement.h"

namespace modelseal::oms {

// Keys of modelseal's own annotations.
inline constexpr const char* kTensorsKey = "modelseal/tensors";
inline constexpr const char* kSealKey = "modelseal/seal-root";
inline constexpr const char* kFingerprintKey = "modelseal/fingerprint";

// Accepts a name that stays inside the model: relative, no empty part, no "." or "..", no NUL; or "." alone.
Result<void> check_name(const std::string& name, const Fields& in);

// `of` has the method and hash of the list.
Result<Resource> read_resource(const Fields& fields, const Statement& of);

// Refuses duplicate names, and shards that do not cover their file from its start without gap or overlap.
Result<void> check_list(const std::vector<Resource>& resources, bool shards, const Fields& in);

}  // namespace modelseal::oms

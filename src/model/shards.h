// The index of a sharded model, as Hugging Face tools write it beside the shards:
//   {"metadata": {"total_size": N}, "weight_map": {TENSOR: FILE, ...}}
// https://huggingface.co/docs/transformers/big_models ("Sharded checkpoints")
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/part.h"

namespace modelseal::model {

struct ShardIndex {
    std::string path;                         // of the index, in the model's folder
    std::map<std::string, std::string> file;  // of each tensor, a path in the model's folder
};

// Nullopt if the file is not a JSON object with a weight_map, and so is some other file.
Result<std::optional<ShardIndex>> read_shard_index(const Source& source, std::string path);

// Parses each shard once. Index and shards must agree: every tensor is in the file that the index names, and
// no shard has a tensor that the index does not list, because tools that follow the index would otherwise see
// another model than tools that read complete shards. `source` is that of the index.
Result<std::vector<Part>> read_shards(FilePool& pool, const Source& source, const ShardIndex& index,
                                      const Limits& limits);

// What such tools would see differently in a folder, where a stale index stops nothing: "names 2 files that are
// missing or not a model, 'model-00001-of-00004.safetensors' and others". `parts`: of all files of the folder that are models.
std::vector<std::string> disagreements(const ShardIndex& index, const std::vector<Part>& parts);

}  // namespace modelseal::model

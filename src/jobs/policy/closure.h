// What a model pulls in when it is loaded, as far as its configuration says: base models, code, adapters.
#pragma once

#include <array>
#include <filesystem>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "policy/ruling.h"
#include <modelseal/result.h>

namespace modelseal::jobs {

// References in the JSON files that Transformers, PEFT, Diffusers and Sentence Transformers read from a model's folder
// ("auto_map", "custom_pipelines", "base_model_name_or_path", classes of model_index.json and modules.json). A single file
// has none. An Error if such a file is not JSON, which leaves open what a lenient reader makes of it.
Result<std::vector<policy::Reference>> references_of(const model::Model& model);

// Whether references_of() reads files of this name.
bool is_configuration(std::string_view file_name);

inline constexpr std::array<std::string_view, 2> kAdapterNames = {"adapter_model.safetensors",
                                                                  "adapter_model.bin"};

// Files of adapters in the folder of `model`, a file: "adapter_model" of PEFT, by name. Not the model itself.
std::vector<std::filesystem::path> adapters_beside(const std::filesystem::path& model);

}  // namespace modelseal::jobs

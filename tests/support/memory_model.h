// Models of one file in memory, and frames as lists.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/reader.h"
#include "model/frame.h"
#include "model/model.h"

namespace modelseal::test {

// As open_model() of a file with these bytes, which must outlive the model; `unsupported` for a graph whose
// tensors lie in other files.
inline Result<model::Model> memory_model(std::string name, std::span<const std::byte> bytes) {
    auto source = std::make_unique<formats::MemorySource>(std::move(name), bytes);
    MODELSEAL_TRY_ASSIGN(auto layout, parse_model_file(*source, {}));
    if (!layout.references.empty()) return Error{ErrorKind::unsupported, "has external data", {}};
    model::Model model;
    model.format = layout.format;
    model.tensors = std::move(layout.tensors);
    model.files.push_back({{}, std::move(source), std::move(layout.checksums)});
    std::ranges::stable_sort(model.tensors, {}, &Tensor::name);
    MODELSEAL_TRY(model::validate_model(model));
    return model;
}

inline std::vector<model::Range> frame_ranges(const model::Model& model, std::uint32_t file) {
    std::vector<model::Range> ranges;
    const auto collected =
        model::for_each_frame_range(model, file, [&](const model::Range& range) -> Result<void> {
            ranges.push_back(range);
            return {};
        });
    if (!collected) throw std::runtime_error(collected.error().message);
    return ranges;
}

}  // namespace modelseal::test

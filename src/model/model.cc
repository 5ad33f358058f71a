#include "model/model.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "formats/reader.h"
#include "model/check.h"

namespace modelseal {

namespace {

Result<Model> finished(Model model) {
    std::ranges::stable_sort(model.tensors, {}, &Tensor::name);
    MODELSEAL_TRY(check_model(model));
    return model;
}

}  // namespace

Result<void> Model::unchanged() const {
    for (const auto& file : files) {
        if (const auto* on_disk = dynamic_cast<const io::FileSource*>(file.source.get())) {
            MODELSEAL_TRY(on_disk->unchanged());
        }
    }
    return {};
}

Result<Model> model_of(std::unique_ptr<Source> source, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(auto layout, parse_model_file(*source, limits));
    if (!layout.references.empty()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: its tensors lie in other files ('{}')", source->name(),
                                 formats::printable(layout.references.front())),
                     {}};
    }
    Model model;
    model.format = layout.format;
    model.tensors = std::move(layout.tensors);
    model.warnings = std::move(layout.warnings);
    model.files.push_back({{}, std::move(source), std::move(layout.checksums)});
    return finished(std::move(model));
}

Result<Model> open_model(const std::filesystem::path& path, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(auto source, io::FileSource::open(path, path.string()));
    MODELSEAL_TRY_ASSIGN(auto model, model_of(std::move(source), limits));
    model.path = path;
    return model;
}

}  // namespace modelseal

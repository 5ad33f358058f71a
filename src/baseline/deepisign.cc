#include "baseline/deepisign.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "baseline/deepisign_layer.h"
#include "baseline/deepisign_secret.h"
#include "model/elements.h"
#include "util/text.h"

namespace modelseal::baseline {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they lie in files");

using CheckSecret = std::span<const std::byte, 32>;

// A layer that carries. Follows from names, types and shapes alone, so that reader and sealer agree.
struct CarryingLayer {
    const Tensor* tensor;
    std::uint64_t number;  // among all tensors of f32 and f64 with two dimensions or more
    LayerCut cut;
    LayerSecret secret;
};

struct Layers {
    std::vector<CarryingLayer> carrying;
    std::vector<DeepisignUnmarked> unmarked;
};

// Why a tensor is no layer of this scheme, or empty.
std::string unfit(const Tensor& tensor) {
    switch (tensor.dtype) {
        case DType::f32:
        case DType::f64:
            break;
        case DType::f16:
        case DType::bf16:
            return fmt::format("{} cannot hold the fourth decimal", info(tensor.dtype).name);
        default:
            return fmt::format("{} is not a type of this scheme", info(tensor.dtype).name);
    }
    if (tensor.shape.size() < 2) return "a vector, not a layer's weights";
    return {};
}

Layers layers_of(const model::Model& model, const DeepisignParameters& parameters) {
    Layers layers;
    std::uint64_t number = 0;
    for (const auto& tensor : model.tensors) {
        if (auto reason = unfit(tensor); !reason.empty()) {
            layers.unmarked.push_back({tensor.name, std::move(reason)});
            continue;
        }
        const LayerCut cut(tensor.elements, parameters);
        CarryingLayer layer{&tensor, number, cut, LayerSecret(tensor, number, cut.bits())};
        if (layer.secret.fits()) {
            layers.carrying.push_back(std::move(layer));
        } else if (cut.full()) {
            layers.unmarked.push_back({tensor.name, "its name is too long"});
        } else {
            layers.unmarked.push_back({tensor.name, fmt::format("{} weights, {} are needed", tensor.elements,
                                                                layer.secret.bits_needed())});
        }
        ++number;
    }
    return layers;
}

template <class Float>
void to_doubles(std::span<const std::byte> bytes, std::span<double> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        Float value;
        std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
        out[i] = value;
    }
}

template <class Float>
void from_doubles(std::span<const double> values, std::span<std::byte> out) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = static_cast<Float>(values[i]);
        std::memcpy(out.data() + i * sizeof value, &value, sizeof value);
    }
}

LoadWeights loader(const model::Model& model, const model::ElementMap& map) {
    return [&](std::uint64_t first, std::span<double> out) -> Result<void> {
        const auto f32 = map.tensor().dtype == DType::f32;
        std::vector<std::byte> bytes(out.size() * (f32 ? sizeof(float) : sizeof(double)));
        MODELSEAL_TRY(map.read(model, first, out.size(), bytes));
        f32 ? to_doubles<float>(bytes, out) : to_doubles<double>(bytes, out);
        return {};
    };
}

StoreWeights storer(const model::ElementMap& map, const PatchFile& patch) {
    return [&](std::uint64_t first, std::span<const double> weights) -> Result<void> {
        const auto f32 = map.tensor().dtype == DType::f32;
        const std::size_t size = f32 ? sizeof(float) : sizeof(double);
        std::vector<std::byte> bytes(weights.size() * size);
        f32 ? from_doubles<float>(weights, bytes) : from_doubles<double>(weights, bytes);
        return map.for_each_run(first, weights.size(), [&](const model::ElementRun& run) -> Result<void> {
            const auto part = std::span(bytes).subspan((run.first - first) * size, run.elements * size);
            if (run.where.stride == 0 || run.where.stride == size) {
                return patch(run.where.file, run.where.offset, part);
            }
            for (std::uint64_t i = 0; i < run.elements; ++i) {
                MODELSEAL_TRY(patch(run.where.file, run.where.offset + i * run.where.stride,
                                    part.subspan(i * size, size)));
            }
            return {};
        });
    };
}

std::string shown_name(const model::Model& model) {
    const auto path = model.path.string();
    return util::printable(path.empty() && !model.files.empty() ? model.files[0].source->name() : path);
}

Result<void> check_room(const model::Model& model, const Layers& layers, std::string_view stamp) {
    const auto shown = shown_name(model);
    if (layers.carrying.empty()) {
        const auto* hint =
            "deepisign marks layers of f32 or f64; the modelseal scheme supports other types as well";
        std::string best = "it has no tensor";
        const auto largest = std::ranges::max_element(model.tensors, {}, &Tensor::elements);
        if (largest != model.tensors.end()) {
            const auto why = std::ranges::find(layers.unmarked, largest->name, &DeepisignUnmarked::tensor);
            best = fmt::format("its largest tensor '{}': {}", util::printable(why->tensor), why->reason);
        }
        return Error{ErrorKind::unsupported, fmt::format("{}: no layer can carry a mark; {}", shown, best),
                     hint};
    }
    std::size_t room = 0;
    for (const auto& layer : layers.carrying) room = std::max(room, layer.secret.stamp_room());
    if (stamp.size() > room) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: the stamp has {} bytes, its layers hold {}", shown, stamp.size(), room),
                     "give fewer or shorter stamp entries"};
    }
    return {};
}

Result<std::vector<Bit>> read_hidden(const model::Model& model, const CarryingLayer& layer,
                                     CheckSecret check_secret) {
    const model::ElementMap map(*layer.tensor);
    return read_layer(layer.cut, carriers_of(layer.cut, check_secret, layer.number), loader(model, map));
}

// A stamp as a layer with less room shows it.
std::string_view cut_to(std::string_view stamp, const CarryingLayer& layer) {
    return stamp.substr(0, layer.secret.stamp_room());
}

// The stamp that most layers agree with; of equals the longest. `stamps`: of each layer, absent where no hash
// matches.
std::string common_stamp(const std::vector<CarryingLayer>& layers,
                         const std::vector<std::optional<std::string>>& stamps) {
    constexpr std::size_t kCandidates = 64;  // a model that bears more was put together to waste our time
    std::map<std::string_view, std::size_t> candidates;
    for (const auto& stamp : stamps) {
        if (stamp && (candidates.size() < kCandidates || candidates.contains(*stamp))) candidates[*stamp] = 0;
    }
    for (auto& [candidate, votes] : candidates) {
        for (std::size_t i = 0; i < layers.size(); ++i) {
            if (stamps[i] && *stamps[i] == cut_to(candidate, layers[i])) ++votes;
        }
    }
    const auto best = std::ranges::max_element(
        candidates, {}, [](const auto& one) { return std::pair(one.second, one.first.size()); });
    return best == candidates.end() ? std::string() : std::string(best->first);
}

}  // namespace

Result<DeepisignEmbedding> deepisign_embed(const model::Model& model, CheckSecret check_secret,
                                           std::string_view stamp, const PatchFile& patch,
                                           const DeepisignParameters& parameters) {
    auto layers = layers_of(model, parameters);
    MODELSEAL_TRY(check_room(model, layers, stamp));
    for (const auto& layer : layers.carrying) {
        const model::ElementMap map(*layer.tensor);
        auto done = embed_layer(layer.cut, carriers_of(layer.cut, check_secret, layer.number),
                                layer.secret.hidden(stamp), layer.tensor->dtype, loader(model, map),
                                storer(map, patch));
        if (!done.ok()) {
            auto error = std::move(done).error();
            if (error.kind == ErrorKind::unsupported) {
                error.message = fmt::format("{}: tensor '{}': {}", shown_name(model),
                                            util::printable(layer.tensor->name), error.message);
                error.hint = "the modelseal scheme has no such limit";
                error.remedy = Remedy::use_modelseal_scheme;
            }
            return error;
        }
    }
    return DeepisignEmbedding{layers.carrying.size(), std::move(layers.unmarked)};
}

Result<DeepisignReading> deepisign_read(const model::Model& model, CheckSecret check_secret,
                                        const DeepisignParameters& parameters) {
    auto layers = layers_of(model, parameters);
    DeepisignReading reading;
    std::vector<std::optional<std::string>> stamps;
    Agreement facts;  // over all layers whose hash does not match
    for (const auto& layer : layers.carrying) {
        MODELSEAL_TRY_ASSIGN(const auto hidden, read_hidden(model, layer, check_secret));
        const auto agreement = compare_bits(hidden, layer.secret.hidden(std::nullopt), layer.cut.level());
        stamps.push_back(layer.secret.verify(hidden));
        if (!stamps.back()) facts += agreement;
        reading.layers.push_back({layer.tensor->name, layer.cut.bits() / layer.cut.level(),
                                  stamps.back().has_value(), agreement.error_rate()});
    }
    const auto any = std::ranges::any_of(stamps, [](const auto& stamp) { return stamp.has_value(); });
    reading.found = any || facts.significant();
    reading.unmarked = std::move(layers.unmarked);
    if (!any) return reading;
    // With the stamp known, what every layer should hide is known; those that differ are read once more.
    reading.stamp = common_stamp(layers.carrying, stamps);
    for (std::size_t i = 0; i < stamps.size(); ++i) {
        const auto& layer = layers.carrying[i];
        if (stamps[i] && *stamps[i] == cut_to(reading.stamp, layer)) continue;
        MODELSEAL_TRY_ASSIGN(const auto hidden, read_hidden(model, layer, check_secret));
        reading.layers[i].hash_matches = false;
        reading.layers[i].bit_error_rate =
            compare_bits(hidden, layer.secret.hidden(reading.stamp), layer.cut.level()).error_rate();
    }
    return reading;
}

bool DeepisignReading::intact() const {
    return found && std::ranges::all_of(layers, [](const DeepisignLayer& layer) { return layer.hash_matches; });
}

}  // namespace modelseal::baseline

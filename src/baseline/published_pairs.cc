#include "baseline/published_pairs.h"

#include <algorithm>
#include <cmath>

namespace modelseal::baseline {
namespace {

constexpr double kRate = 1e-3;          // of stage 1 (the paper: 1e-3 for every network)
constexpr double kLambda = 100;         // of the variance; not in the text, from the authors' code
constexpr float kSignStep = 1e-6f;      // of stage 2 (the paper: 1e-4 for VGG16, 1e-6 for the others)
constexpr unsigned kLevels = 1u << 24;  // random pixels: every float32 of a uniform generator

struct KeyedLayer {
    std::vector<double> weights;  // 2 x classes
    std::size_t classes;
    std::array<double, 2> operator()(std::span<const float> logits) const {
        std::array<double, 2> out{};
        for (std::size_t k = 0; k < 2; ++k) {
            for (std::size_t c = 0; c < classes; ++c) {
                out[k] += weights[k * classes + c] * static_cast<double>(logits[c]);
            }
        }
        return out;
    }
    // The derivative by the logits, given that by the two outputs.
    void pull_back(const std::array<double, 2>& by_output, std::span<float> cotangents) const {
        for (std::size_t c = 0; c < classes; ++c) {
            cotangents[c] = static_cast<float>(by_output[0] * weights[c] + by_output[1] * weights[classes + c]);
        }
    }
};

double sign(double value) {
    return value > 0 ? 1 : value < 0 ? -1 : 0;
}

// Equation 6: d (lambda * variance(o) - |o0| - |o1|) / d o, with the unbiased variance of two numbers, (o0 -
// o1)^2 / 2.
std::array<double, 2> stage_1(const std::array<double, 2>& o) {
    return {kLambda * (o[0] - o[1]) - sign(o[0]), kLambda * (o[1] - o[0]) - sign(o[1])};
}

// Equation 7, the gradient of J: d cross entropy(o, label) / d o.
std::array<double, 2> stage_2(const std::array<double, 2>& o, int label) {
    const double second = 1 / (1 + std::exp(o[0] - o[1]));
    return {1 - second - (label == 0 ? 1 : 0), second - (label == 1 ? 1 : 0)};
}

int label_of(const std::array<double, 2>& o) {
    return o[1] > o[0] ? 1 : 0;
}

class Stages {
  public:
    Stages(blackbox::Probe& probe, KeyedLayer layer) : probe_(probe), layer_(std::move(layer)) {}

    // The gradient of a loss given by its derivative at the two outputs of each row.
    template <class Loss>
    Result<std::vector<float>> gradient(const std::vector<float>& pixels, const Loss& loss) {
        std::size_t first = 0;
        return probe_.gradient(pixels, [&](std::span<const float> outputs, std::span<float> cotangents) {
            const auto rows = outputs.size() / layer_.classes;
            for (std::size_t row = 0; row < rows; ++row) {
                const auto o = layer_(outputs.subspan(row * layer_.classes, layer_.classes));
                layer_.pull_back(loss(first + row, o),
                                 cotangents.subspan(row * layer_.classes, layer_.classes));
            }
            first += rows;
        });
    }

    Result<void> descend(std::vector<float>& pixels) {
        MODELSEAL_TRY_ASSIGN(const auto gradient,
                             this->gradient(pixels, [](std::size_t, const auto& o) { return stage_1(o); }));
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            const double moved = static_cast<double>(pixels[i]) - kRate * static_cast<double>(gradient[i]);
            pixels[i] = clamp(static_cast<float>(moved));
        }
        return {};
    }

    // One sign step of every row that has not flipped. `label`: of each row, -1 before the first step.
    struct Row {
        std::size_t index;
        int label = -1;
        std::vector<float> before;
        bool flipped = false;
    };
    Result<void> step(std::vector<float>& pixels, std::vector<Row*>& rows) {
        std::vector<float> shown;
        for (const auto* row : rows) shown.insert(shown.end(), at(pixels, *row), at(pixels, *row) + elements());
        MODELSEAL_TRY_ASSIGN(const auto gradient, this->gradient(shown, [&](std::size_t i, const auto& o) {
            const int label = label_of(o);
            if (rows[i]->label < 0) rows[i]->label = label;
            rows[i]->flipped = label != rows[i]->label;
            return stage_2(o, rows[i]->label);
        }));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (rows[i]->flipped) continue;
            const auto begin = at(pixels, *rows[i]);
            rows[i]->before.assign(begin, begin + elements());
            for (std::size_t k = 0; k < probe_.elements(); ++k) {
                auto& pixel = begin[static_cast<std::ptrdiff_t>(k)];
                pixel =
                    clamp(pixel + kSignStep * static_cast<float>(sign(gradient[i * probe_.elements() + k])));
            }
        }
        std::erase_if(rows, [](const Row* row) { return row->flipped; });
        return {};
    }

    std::vector<float>::iterator at(std::vector<float>& pixels, const Row& row) const {
        return pixels.begin() + static_cast<std::ptrdiff_t>(row.index) * elements();
    }
    std::ptrdiff_t elements() const { return static_cast<std::ptrdiff_t>(probe_.elements()); }

  private:
    float clamp(float pixel) const { return std::clamp(pixel, probe_.input().low, probe_.input().high); }
    blackbox::Probe& probe_;
    KeyedLayer layer_;
};

std::vector<float> random_pixels(const blackbox::Probe& probe, const blackbox::Keyed& keyed,
                                 std::size_t count) {
    std::vector<float> pixels;
    const auto& input = probe.input();
    for (std::size_t row = 0; row < count; ++row) {
        for (const float level : keyed.start(row, probe.elements(), kLevels)) {
            pixels.push_back(input.low + (input.high - input.low) * (level / static_cast<float>(kLevels)));
        }
    }
    return pixels;
}

}  // namespace

Result<PublishedPairs> published_pairs(blackbox::Probe& probe, const blackbox::Keyed& keyed, std::size_t pairs,
                                       unsigned steps, Progress& progress) {
    PublishedPairs published;
    KeyedLayer layer{keyed.published_layer(probe.classes()), probe.classes()};
    for (std::size_t c = 0; c < layer.classes; ++c) {
        published.direction.push_back(layer.weights[layer.classes + c] - layer.weights[c]);
    }
    Stages stages(probe, std::move(layer));
    auto pixels = random_pixels(probe, keyed, pairs);
    for (unsigned step = 0; step < steps; ++step) {
        MODELSEAL_TRY(stages.descend(pixels));
        progress.advance(1);
    }
    std::vector<Stages::Row> rows;
    for (std::size_t index = 0; index < pairs; ++index) rows.push_back({.index = index});
    std::vector<Stages::Row*> active;
    for (auto& row : rows) active.push_back(&row);
    for (unsigned step = 0; step < steps && !active.empty(); ++step) MODELSEAL_TRY(stages.step(pixels, active));
    for (auto& row : rows) {
        if (!row.flipped) continue;
        const auto after = stages.at(pixels, row);
        blackbox::Path path{.base = std::move(row.before), .direction = {after, after + stages.elements()}};
        for (std::size_t i = 0; i < path.base.size(); ++i) path.direction[i] -= path.base[i];
        if (row.label == 1) {  // from the positive side to the negative one
            for (std::size_t i = 0; i < path.base.size(); ++i) {
                path.base[i] += path.direction[i];
                path.direction[i] = -path.direction[i];
            }
        }
        published.paths.push_back(std::move(path));
    }
    return published;
}

}  // namespace modelseal::baseline

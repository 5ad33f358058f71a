#include "tests/evidence/edit.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <span>
#include <stdexcept>

#include "baseline/deepisign_layer.h"
#include "baseline/packets.h"
#include "model/elements.h"
#include "model/model.h"

namespace modelseal::evidence {
namespace {

void require(const Result<void>& result) {
    if (!result.ok()) throw std::runtime_error(result.error().message);
}

// Copies the file and lets `change` work on the tensor's weights there.
void edit(const std::filesystem::path& in, const std::filesystem::path& out, const std::string& name,
          const std::function<void(std::span<float>)>& change) {
    const auto model = model::open_model(in);
    if (!model.ok()) throw std::runtime_error(model.error().message);
    if (model->files.size() != 1) throw std::runtime_error(in.string() + ": has more than one file");
    if (!model->files[0].checksums.empty()) {
        throw std::runtime_error(in.string() + ": keeps checksums; give safetensors, ONNX or GGUF");
    }
    const auto tensor = std::ranges::find(model->tensors, name, &Tensor::name);
    if (tensor == model->tensors.end() || tensor->dtype != DType::f32) {
        throw std::runtime_error(in.string() + ": has no f32 tensor '" + name + "'");
    }
    std::vector<float> weights(tensor->elements);
    require(
        model::read_elements(*model, *tensor, 0, tensor->elements, std::as_writable_bytes(std::span(weights))));
    change(weights);
    std::filesystem::copy_file(in, out, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(out, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
    std::fstream file(out, std::ios::binary | std::ios::in | std::ios::out);
    require(
        model::for_each_run(*tensor, 0, tensor->elements, [&](const model::ElementRun& run) -> Result<void> {
            const auto stride = run.where.stride == 0 ? sizeof(float) : run.where.stride;
            for (std::uint64_t i = 0; i < run.elements; ++i) {
                file.seekp(static_cast<std::streamoff>(run.where.offset + i * stride));
                file.write(reinterpret_cast<const char*>(&weights[run.first + i]), sizeof(float));
            }
            return {};
        }));
    if (!file.flush()) throw std::runtime_error(out.string() + ": could not be written");
}

double norm(std::span<const double> values) {
    double squares = 0;
    for (const auto value : values) squares += value * value;
    return std::sqrt(squares);
}

}  // namespace

void move_weight(const std::filesystem::path& in, const std::filesystem::path& out, const std::string& tensor,
                 std::uint64_t element, int ulps, double step) {
    edit(in, out, tensor, [&](std::span<float> weights) {
        if (element >= weights.size()) throw std::runtime_error("the tensor has fewer elements");
        auto& weight = weights[element];
        for (int i = 0; i < std::abs(ulps); ++i)
            weight = std::nextafter(weight, ulps > 0 ? INFINITY : -INFINITY);
        weight = static_cast<float>(weight + step);
    });
}

double edit_approximation(const std::filesystem::path& in, const std::filesystem::path& out,
                          const std::string& tensor, double relative) {
    double squares_before = 0, squares_changed = 0;
    edit(in, out, tensor, [&](std::span<float> weights) {
        std::mt19937_64 engine(1);
        std::normal_distribution<double> normal(0, 1);
        const baseline::LayerCut cut(weights.size());
        for (std::uint64_t i = 0; i < cut.transforms(); ++i) {
            const auto part = weights.subspan(cut.first_weight(i), cut.weights(i));
            std::vector<double> values(part.begin(), part.end());
            const auto size = relative * norm(values) / std::sqrt(static_cast<double>(values.size()) / 2);
            baseline::packet_decompose(values);
            for (std::size_t k = 0; k < values.size() / 2; ++k) values[k] += size * normal(engine);
            baseline::packet_reconstruct(values);
            for (std::size_t k = 0; k < part.size(); ++k) {
                squares_before += std::pow(static_cast<double>(part[k]), 2);
                squares_changed += std::pow(values[k] - static_cast<double>(part[k]), 2);
                part[k] = static_cast<float>(values[k]);
            }
        }
    });
    return std::sqrt(squares_changed / squares_before);
}

}  // namespace modelseal::evidence

#include "tests/evidence/levels.h"

#include <fstream>
#include <memory>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "baseline/deepisign.h"
#include "model/model.h"
#include <modelseal/keys.h>

namespace modelseal::evidence {
namespace {

struct Options {
    std::string in, out, pub, stamp_of;
    baseline::DeepisignParameters parameters;
};

template <class T>
T value_of(Result<T> result) {
    if (!result.ok()) throw std::runtime_error(result.error().message);
    return std::move(result).value();
}

// Copies the file and hides marks in the copy.
void embed(const Options& options, const CheckKey& key, std::string_view stamp) {
    const auto model = value_of(model::open_model(options.in));
    if (model.files.size() != 1 || !model.files[0].checksums.empty())
        throw std::runtime_error(options.in + ": has several files, or checksums; give safetensors or ONNX");
    std::filesystem::copy_file(options.in, options.out, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(options.out, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::fstream file(options.out, std::ios::binary | std::ios::in | std::ios::out);
    const auto patch = [&](std::uint32_t, std::uint64_t offset, std::span<const std::byte> bytes) {
        file.seekp(static_cast<std::streamoff>(offset));
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return Result<void>();
    };
    value_of(baseline::deepisign_embed(model, key.secret.bytes(), stamp, patch, options.parameters));
    if (!file.flush()) throw std::runtime_error(options.out + ": could not be written");
}

baseline::DeepisignReading read(const std::string& path, const CheckKey& key,
                                const baseline::DeepisignParameters& parameters) {
    const auto model = value_of(model::open_model(path));
    return value_of(baseline::deepisign_read(model, key.secret.bytes(), parameters));
}

void deepisign(const Options& options) {
    const auto key = public_check_key(value_of(load_public_key(options.pub)));
    if (!options.out.empty()) {
        // The stamp of a sealed model, its signature included, is what a holder of the public key can repeat.
        const auto stamp = options.stamp_of.empty() ? std::string("level of the tables")
                                                    : read(options.stamp_of, key, {}).stamp;
        embed(options, key, stamp);
    }
    const auto reading = read(options.out.empty() ? options.in : options.out, key, options.parameters);
    auto layers = nlohmann::json::array();
    for (const auto& layer : reading.layers) {
        layers.push_back({{"tensor", layer.tensor},
                          {"carriers", layer.carriers},
                          {"intact", layer.hash_matches},
                          {"bit_error_rate", layer.bit_error_rate}});
    }
    const nlohmann::json answer{{"found", reading.found}, {"intact", reading.intact()}, {"layers", layers}};
    fmt::print("{}\n", answer.dump());
}

}  // namespace

void add_deepisign(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* sub = app.add_subcommand("deepisign", "marks of the deepisign scheme with other parameters");
    sub->add_option("IN", options->in)->required();
    sub->add_option("OUT", options->out, "a marked copy");
    sub->add_option("--pub", options->pub, "the vendor's public key")->required();
    sub->add_option("--stamp-of", options->stamp_of, "hide the stamp that this model shows");
    auto& parameters = options->parameters;
    sub->add_option("--level", parameters.level, "bits a coefficient")
        ->check(CLI::Range(1, 4))
        ->capture_default_str();
    sub->add_option("--transform-weights", parameters.transform_weights)
        ->check(CLI::Range(32, 1 << 24))
        ->capture_default_str();
    sub->add_option("--layer-bits", parameters.layer_bits, "at most so many bits a layer")
        ->check(CLI::Range(64, 1 << 30))
        ->capture_default_str();
    sub->callback([options] { deepisign(*options); });
}

}  // namespace modelseal::evidence

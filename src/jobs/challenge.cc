#include "blackbox/challenge.h"

#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/container/container.h"
#include "formats/npy.h"
#include "io/file.h"
#include "io/new_folder.h"
#include "io/png.h"
#include <modelseal/fingerprint.h>

namespace modelseal {
namespace {

using blackbox::Fingerprint;

constexpr std::string_view kHowToAnswer =
    R"(Give each input to the model, and put what it answers into one file in this folder:

  responses.npy    float32 or float64, shape [{count}, {classes}], rows in the order of the inputs
                   (or int64 labels, shape [{count}])
  responses.json   {{"outputs": [[...], ...]}} in the order of the inputs, or {{"labels": [...]}}
  responses.csv    one line for each input: its number, then its {classes} outputs, or its label

{wanted} Do not round them. Leave manifest.json as it is. Then whoever holds the fingerprint runs

  modelseal check --responses FOLDER --fingerprint FP --key CUSTOMER.check
)";

bool is_image(const Fingerprint& fingerprint) {
    const auto& shape = fingerprint.input.shape.shape;
    return shape.size() == 3 && (shape[0] == 1 || shape[0] == 3);
}

std::string wanted_text(Access access) {
    return access == Access::label           ? "Labels are wanted; outputs will do."
           : access == Access::probabilities ? "Probabilities are wanted."
           : access == Access::values        ? "All numbers of all outputs are wanted, in order."
                                             : "The outputs before softmax (logits) are wanted.";
}

std::string readme(const Fingerprint& fingerprint, bool png, std::size_t count) {
    const auto& input = fingerprint.input;
    auto text = fmt::format("{} inputs of a model of {} classes.\n\n", count, fingerprint.classes);
    if (png) {
        text += fmt::format(
            "The inputs are 0001.png and so on. A grey level g of 0 to 255 is the input {} + g * {}.\n",
            input.low, fingerprint.unit);
        if (!input.mean.empty() || !input.std.empty()) {
            text +=
                fmt::format("From it the model takes (x - mean) / std, a channel at a time: mean {}; std {}.\n",
                            fmt::join(input.mean, ", "), fmt::join(input.std, ", "));
        }
    } else {
        text += fmt::format("The inputs are in inputs.npy, float32, shape [{}, {}], as the model takes them.\n",
                            count, fmt::join(input.shape.shape, ", "));
    }
    return text + "\n" +
           fmt::format(kHowToAnswer, fmt::arg("count", count), fmt::arg("classes", fingerprint.classes),
                       fmt::arg("wanted", wanted_text(fingerprint.access)));
}

// Channels come one after the other in an input, side by side in a picture.
io::Picture picture_of(const Fingerprint& fingerprint, std::span<const std::uint8_t> levels) {
    const auto& shape = fingerprint.input.shape.shape;
    const auto channels = static_cast<std::size_t>(shape[0]);
    const auto plane = levels.size() / channels;
    io::Picture picture{.width = static_cast<std::uint32_t>(shape[2]),
                        .height = static_cast<std::uint32_t>(shape[1]),
                        .channels = static_cast<std::uint32_t>(channels),
                        .samples = {}};
    picture.samples.resize(levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
        picture.samples[i % plane * channels + i / plane] = levels[i];
    }
    return picture;
}

Result<void> write_pictures(const Fingerprint& fingerprint, std::span<const std::uint8_t> levels,
                            std::span<const std::size_t> order, io::NewFolder& folder) {
    const auto elements = fingerprint.input.shape.elements();
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto picture = picture_of(fingerprint, levels.subspan(order[i] * elements, elements));
        MODELSEAL_TRY(folder.write(fmt::format("{:04}.png", i + 1), io::encode_png(picture)));
    }
    return {};
}

Result<void> write_array(const Fingerprint& fingerprint, std::span<const float> inputs,
                         std::span<const std::size_t> order, io::NewFolder& folder) {
    const auto elements = fingerprint.input.shape.elements();
    std::vector<std::uint64_t> shape = {order.size()};
    for (const auto extent : fingerprint.input.shape.shape) shape.push_back(static_cast<std::uint64_t>(extent));
    std::vector<float> rows;
    rows.reserve(inputs.size());
    for (const auto row : order) {
        const auto from = inputs.begin() + static_cast<std::ptrdiff_t>(row * elements);
        rows.insert(rows.end(), from, from + static_cast<std::ptrdiff_t>(elements));
    }
    normalise(fingerprint.input, rows);
    const auto header = formats::npy_header(shape);
    auto bytes = std::vector<std::byte>(header.size() + std::as_bytes(std::span(rows)).size());
    std::ranges::copy(std::as_bytes(std::span(header)), bytes.begin());
    std::ranges::copy(std::as_bytes(std::span(rows)),
                      bytes.begin() + static_cast<std::ptrdiff_t>(header.size()));
    return folder.write("inputs.npy", bytes);
}

std::int64_t now() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

}  // namespace

Result<ChallengeSummary> write_challenge(const std::filesystem::path& file, const CheckKey& key,
                                         const std::filesystem::path& out) {
    MODELSEAL_TRY_ASSIGN(const auto source, io::FileSource::open(file, file.string()));
    MODELSEAL_TRY_ASSIGN(const auto whole, blackbox::load(*source, key, now()));
    MODELSEAL_TRY_ASSIGN(const auto shown, blackbox::show(*source));
    MODELSEAL_TRY_ASSIGN(const auto inputs, blackbox::all_inputs(whole));
    const auto count = blackbox::count_inputs(whole);
    const auto salt = crypto::random_salt();
    const auto order = blackbox::shuffled_order(count, key, salt);
    const auto levels =
        whole.grid == Grid::u8 && is_image(whole) ? blackbox::grey_levels(whole, inputs) : std::nullopt;
    const std::string format = levels ? "png" : "npy";
    MODELSEAL_TRY_ASSIGN(auto folder, io::NewFolder::create(out));
    if (levels) {
        MODELSEAL_TRY(write_pictures(whole, *levels, order, folder));
    } else {
        MODELSEAL_TRY(write_array(whole, inputs, order, folder));
    }
    const auto manifest = blackbox::challenge_manifest(
        whole, shown.id, format, {count, salt, blackbox::challenge_tag(inputs, key, salt)});
    MODELSEAL_TRY(folder.write(blackbox::kChallengeManifest, manifest));
    MODELSEAL_TRY(folder.write("README.txt", readme(whole, levels.has_value(), count)));
    MODELSEAL_TRY(folder.commit());
    return ChallengeSummary{count, format};
}

}  // namespace modelseal

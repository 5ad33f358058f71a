#include "images/idx.h"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "images/picture_file.h"
#include "images/unpacked.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::images {

namespace {

constexpr std::uint32_t kImagesMagic = 0x0803, kLabelsMagic = 0x0801;

Result<std::uint32_t> big_endian(Unpacked& file) {
    std::array<std::byte, 4> bytes{};
    MODELSEAL_TRY(file.read(bytes));
    std::uint32_t value = 0;
    for (const auto byte : bytes) value = value << 8 | std::to_integer<std::uint32_t>(byte);
    return value;
}

Result<std::uint32_t> count_after(Unpacked& file, std::uint32_t magic, const Source& source,
                                  std::string_view what) {
    MODELSEAL_TRY_ASSIGN(const auto found, big_endian(file));
    if (found != magic)
        return util::malformed(util::printable(source.name()), fmt::format("not an IDX file of {}", what));
    return big_endian(file);
}

struct ImagesHeader {
    std::uint32_t count = 0, rows = 0, columns = 0;
};

Result<ImagesHeader> read_header(Unpacked& file, const Source& source) {
    ImagesHeader header;
    MODELSEAL_TRY_ASSIGN(header.count, count_after(file, kImagesMagic, source, "images"));
    MODELSEAL_TRY_ASSIGN(header.rows, big_endian(file));
    MODELSEAL_TRY_ASSIGN(header.columns, big_endian(file));
    return header;
}

Result<void> append_labels(const Source& source, std::uint32_t images, LabeledImages& out) {
    MODELSEAL_TRY_ASSIGN(auto file, Unpacked::open(source));
    const auto shown = util::printable(source.name());
    MODELSEAL_TRY_ASSIGN(const auto count, count_after(file, kLabelsMagic, source, "labels"));
    if (count != images) {
        return util::malformed(
            shown, fmt::format("{} for {}", util::counted(count, "label"), util::counted(images, "image")));
    }
    if (count > file.most())
        return util::malformed(
            shown, fmt::format("the file ends early: its header states {}", util::counted(count, "label")));
    std::vector<std::byte> labels(count);
    MODELSEAL_TRY(file.read(labels));
    MODELSEAL_TRY(file.end());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto label = std::to_integer<std::int64_t>(labels[i]);
        if (label >= static_cast<std::int64_t>(out.classes)) {
            return util::malformed(shown, fmt::format("image {} has label {}; the model has {}", i, label,
                                                      util::counted(out.classes, "class")));
        }
        out.labels.push_back(label);
    }
    return {};
}

}  // namespace

bool is_idx_images(const Source& source) {
    auto file = Unpacked::open(source);
    if (!file.ok()) return false;
    const auto magic = big_endian(*file);
    return magic.ok() && *magic == kImagesMagic;
}

Result<void> append_idx(const Source& images, const Source& labels, std::uint64_t most_bytes,
                        LabeledImages& out) {
    auto& set = out.images;
    MODELSEAL_TRY_ASSIGN(auto file, Unpacked::open(images));
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(file, images));
    MODELSEAL_TRY(require_size(set.geometry, header.columns, header.rows, images.name()));
    const std::uint64_t before = set.count(), channels = set.geometry.channels;
    MODELSEAL_TRY(require_room(set.geometry, before + header.count, most_bytes, images.name()));
    // Before memory is taken: could the file be as large as its header states?
    const std::size_t pixels = set.geometry.samples() / channels;
    if (std::uint64_t{header.count} * pixels > file.most()) {
        return util::malformed(
            util::printable(images.name()),
            fmt::format("the file ends early: its header states {}", util::counted(header.count, "image")));
    }
    MODELSEAL_TRY(append_labels(labels, header.count, out));
    set.parts.push_back({images.name(), before, ImageSet::Part::Kind::records});
    set.samples.resize((before + header.count) * set.geometry.samples());
    std::vector<std::byte> image(pixels);
    for (std::uint64_t i = 0; i < header.count; ++i) {
        MODELSEAL_TRY(file.read(image));
        auto* to = &set.samples[(before + i) * set.geometry.samples()];
        for (std::size_t j = 0; j < pixels * channels; ++j)
            to[j] = std::to_integer<std::uint8_t>(image[j / channels]);
    }
    return file.end();
}

}  // namespace modelseal::images

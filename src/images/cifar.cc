#include "images/cifar.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "images/picture_file.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::images {

namespace {

constexpr std::size_t kCifarSide = 32, kPlane = kCifarSide * kCifarSide, kCifarSamples = 3 * kPlane;
constexpr std::size_t kCoarse = 20, kFine = 100;  // classes of CIFAR-100
constexpr std::size_t kRecordsAtOnce = 256;

// Where labels are in a record.
struct RecordForm {
    std::size_t labels = 1;  // bytes before the samples
    std::size_t label = 0;   // which of them
    std::size_t bytes() const { return labels + kCifarSamples; }
};

bool fits(std::uint64_t size, std::size_t labels) {
    return size > 0 && size % (labels + kCifarSamples) == 0;
}

Result<RecordForm> form_of(const Source& source, std::size_t classes) {
    const auto shown = util::printable(source.name());
    const bool one = fits(source.size(), 1), two = fits(source.size(), 2);
    if (!one && !two) {
        return util::malformed(shown, fmt::format("{}, not a multiple of a CIFAR record (3,073 or 3,074 bytes)",
                                                  util::counted(source.size(), "byte")));
    }
    if (one && two) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: its size fits records of CIFAR-10 and of CIFAR-100", shown),
                     "split the file, or save the images as PNG in a folder for each class"};
    }
    if (one) return RecordForm{};
    if (classes != kCoarse && classes != kFine) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: records of CIFAR-100, which have 20 coarse and 100 fine labels; the model "
                        "has {}",
                        shown, util::counted(classes, "class")),
            {}};
    }
    return RecordForm{.labels = 2, .label = classes == kFine ? 1u : 0u};
}

}  // namespace

bool is_cifar(const Source& source) {
    return fits(source.size(), 1) || fits(source.size(), 2);
}

Result<void> append_cifar(const Source& source, std::uint64_t most_bytes, LabeledImages& out) {
    auto& images = out.images;
    MODELSEAL_TRY_ASSIGN(const auto form, form_of(source, out.classes));
    MODELSEAL_TRY(require_size(images.geometry, kCifarSide, kCifarSide, source.name()));
    if (images.geometry.channels != 3) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: CIFAR images have colors; the model takes gray ones",
                                 util::printable(source.name())),
                     {}};
    }
    const auto records = source.size() / form.bytes();
    const auto before = images.count();
    MODELSEAL_TRY(require_room(images.geometry, before + records, most_bytes, source.name()));
    images.parts.push_back({source.name(), before, ImageSet::Part::Kind::records});
    images.samples.resize((before + records) * kCifarSamples);
    std::vector<std::byte> bytes;
    for (std::uint64_t record = 0; record < records; ++record) {
        const auto within = record % kRecordsAtOnce;
        if (within == 0) {
            bytes.resize(std::min<std::uint64_t>(kRecordsAtOnce, records - record) * form.bytes());
            MODELSEAL_TRY(source.read(record * form.bytes(), bytes));
        }
        const auto* from = &bytes[within * form.bytes()];
        const auto label = std::to_integer<std::int64_t>(from[form.label]);
        if (label >= static_cast<std::int64_t>(out.classes)) {
            return util::malformed(util::printable(source.name()),
                                   fmt::format("image {} has label {}; the model has {}", record, label,
                                               util::counted(out.classes, "class")));
        }
        out.labels.push_back(label);
        auto* to = &images.samples[(before + record) * kCifarSamples];
        for (std::size_t i = 0; i < kCifarSamples; ++i) {
            to[i % kPlane * 3 + i / kPlane] = std::to_integer<std::uint8_t>(from[form.labels + i]);
        }
    }
    return {};
}

}  // namespace modelseal::images

#include "io/png.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <new>
#include <stdexcept>

#include <fmt/format.h>
#include <png.h>

#include "util/error.h"
#include "util/text.h"

namespace modelseal::io {

namespace {

// The state of libpng while it reads. libpng leaves its functions by longjmp() on an error, so the functions that
// call it, begin() and read_rows(), have no objects with destructors; this object is the caller's.
//
// Not by the simplified API (png_image): it converts 8-bit samples by the file's gAMA chunk.
class PngReader {
  public:
    explicit PngReader(std::span<const std::byte> bytes) : left_(bytes) {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &PngReader::fail, &PngReader::ignore);
        if (png_ != nullptr) info_ = png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            throw std::bad_alloc();
        }
    }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;
    ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

    // Reads up to the first sample, and sets width, height and channels (2 and 4: with alpha). False on an error.
    bool begin() {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_set_read_fn(png_, this, &PngReader::read);
        // Ancillary chunks except tRNS, those that libpng knows as well: neither kept nor inflated.
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_set_user_limits(png_, kMostSamples, kMostSamples);
        png_read_info(png_, info_);
        png_set_expand(png_);    // palettes to RGB, gray to 8 bits, tRNS to alpha
        png_set_scale_16(png_);  // rounds
        passes_ = png_set_interlace_handling(png_);
        width = png_get_image_width(png_, info_);
        height = png_get_image_height(png_, info_);
        const auto type = png_get_color_type(png_, info_);
        channels = (type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
        if ((type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png_, info_, PNG_INFO_tRNS) != 0) ++channels;
        return true;
    }

    // Fills width * height * channels samples. False on an error.
    bool read_rows(std::uint8_t* samples) {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_read_update_info(png_, info_);
        if (png_get_rowbytes(png_, info_) != std::size_t{width} * channels)
            png_error(png_, "unexpected layout");
        for (int pass = 0; pass < passes_; ++pass) {
            for (std::uint32_t row = 0; row < height; ++row) {
                png_read_row(png_, samples + std::size_t{row} * width * channels, nullptr);
            }
        }
        png_read_end(png_, nullptr);
        return true;
    }

    const char* why() const { return why_.data(); }

    std::uint32_t width = 0, height = 0, channels = 0;

  private:
    [[noreturn]] static void fail(png_structp png, png_const_charp text) {
        auto& self = *static_cast<PngReader*>(png_get_error_ptr(png));
        const auto length = std::min(std::strlen(text), self.why_.size() - 1);
        std::memcpy(self.why_.data(), text, length);
        self.why_[length] = '\0';
        png_longjmp(png, 1);
    }
    static void ignore(png_structp, png_const_charp) {}
    static void read(png_structp png, png_bytep out, std::size_t size) {
        auto& left = static_cast<PngReader*>(png_get_io_ptr(png))->left_;
        if (size > left.size()) png_error(png, "the file ends early");
        std::memcpy(out, left.data(), size);
        left = left.subspan(size);
    }

    std::span<const std::byte> left_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    int passes_ = 1;
    std::array<char, 128> why_{};
};

// Removes the last sample of each pixel. False if one of these is not opaque.
bool drop_alpha(Picture& picture) {
    const std::size_t colors = picture.channels - 1, pixels = std::size_t{picture.width} * picture.height;
    auto& samples = picture.samples;
    for (std::size_t i = 0; i < pixels; ++i) {
        if (samples[i * (colors + 1) + colors] != 255) return false;
        // Source and target may overlap, the target lower.
        std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(i * (colors + 1)), colors,
                    samples.begin() + static_cast<std::ptrdiff_t>(i * colors));
    }
    samples.resize(pixels * colors);
    samples.shrink_to_fit();
    picture.channels -= 1;
    return true;
}

}  // namespace

std::vector<std::byte> encode_png(const Picture& picture) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = picture.width;
    image.height = picture.height;
    image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    const auto needed = std::size_t{picture.width} * picture.height * picture.channels;
    if ((picture.channels != 1 && picture.channels != 3) || needed == 0 || picture.samples.size() != needed) {
        throw std::runtime_error("the number of samples is not the size of the picture");
    }
    // The first call only asks for the size.
    png_alloc_size_t size = 0;
    const auto write = [&](void* memory) {
        return png_image_write_to_memory(&image, memory, &size, 0, picture.samples.data(), 0, nullptr) != 0;
    };
    std::vector<std::byte> bytes;
    if (write(nullptr)) bytes.resize(size);
    if (bytes.empty() || !write(bytes.data())) throw std::bad_alloc();
    bytes.resize(size);
    return bytes;
}

bool is_png(std::span<const std::byte> bytes) {
    constexpr std::array<std::uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    return bytes.size() >= kSignature.size() &&
           std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

Result<Picture> decode_png(std::span<const std::byte> bytes, const std::string& name) {
    const auto shown = util::printable(name);
    if (!is_png(bytes)) return util::malformed(shown, "not a PNG picture");
    PngReader reader(bytes);
    const auto corrupt = [&] {
        return util::malformed(shown,
                               fmt::format("not a sound PNG picture ({})", util::printable(reader.why())));
    };
    if (!reader.begin()) return corrupt();
    // Both factors are below 2^31, so the product of three cannot overflow once that of two is small.
    const auto pixels = std::uint64_t{reader.width} * reader.height;
    if (pixels > kMostSamples || pixels * reader.channels > kMostSamples) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: a picture of {} x {} pixels; at most {} samples are read", shown,
                                 reader.width, reader.height, util::grouped(kMostSamples)),
                     {}};
    }
    Picture picture{.width = reader.width, .height = reader.height, .channels = reader.channels};
    picture.samples.resize(static_cast<std::size_t>(pixels) * reader.channels);
    if (!reader.read_rows(picture.samples.data())) return corrupt();
    const bool alpha = picture.channels == 2 || picture.channels == 4;
    if (alpha && !drop_alpha(picture)) {
        return Error{ErrorKind::unsupported, fmt::format("{}: the picture has transparent pixels", shown),
                     "remove the alpha channel, so that it is clear which colors the model is given"};
    }
    return picture;
}

}  // namespace modelseal::io

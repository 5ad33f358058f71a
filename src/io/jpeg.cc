#include "io/jpeg.h"

#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include "util/error.h"
#include "util/text.h"

namespace modelseal::io {

namespace {

// Each scan of a progressive file visits all blocks, however few bytes it has: encoders make about ten.
constexpr int kMostScans = 64;

// The state of libjpeg. Its errors leave by longjmp(), so begin() and read_rows(), which call it, have no objects
// with destructors; this object is the caller's.
class JpegReader {
  public:
    JpegReader() {
        state_.err = jpeg_std_error(&errors_);
        errors_.error_exit = &JpegReader::fail;
        errors_.emit_message = &JpegReader::warn;
        state_.client_data = this;
        monitor_.progress_monitor = &JpegReader::watch;
    }
    JpegReader(const JpegReader&) = delete;
    JpegReader& operator=(const JpegReader&) = delete;
    ~JpegReader() { jpeg_destroy_decompress(&state_); }  // of a zeroed state: nothing to do

    // Reads up to the first scan, and sets width, height and channels (0 for color spaces other than gray and
    // RGB). False on an error.
    bool begin(const unsigned char* bytes, unsigned long size) {
        if (setjmp(jump_) != 0) return false;
        jpeg_create_decompress(&state_);
        state_.client_data = this;
        state_.progress = &monitor_;
        jpeg_mem_src(&state_, bytes, size);
        jpeg_read_header(&state_, TRUE);
        width = state_.image_width;
        height = state_.image_height;
        const auto space = state_.jpeg_color_space;
        channels = space == JCS_GRAYSCALE ? 1 : space == JCS_YCbCr || space == JCS_RGB ? 3 : 0;
        return true;
    }

    // Fills width * height * channels samples. False on an error.
    bool read_rows(unsigned char* samples) {
        if (setjmp(jump_) != 0) return false;
        state_.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        state_.dct_method = JDCT_ISLOW;
        jpeg_start_decompress(&state_);
        while (state_.output_scanline < state_.output_height) {
            JSAMPROW row = samples + std::size_t{state_.output_scanline} * width * channels;
            jpeg_read_scanlines(&state_, &row, 1);
        }
        jpeg_finish_decompress(&state_);
        return true;
    }

    const char* why() const { return why_.data(); }

    std::uint32_t width = 0, height = 0, channels = 0;
    bool many_scans = false;

  private:
    [[noreturn]] static void fail(j_common_ptr state) {
        auto& self = *static_cast<JpegReader*>(state->client_data);
        static_assert(decltype(self.why_)().size() >= JMSG_LENGTH_MAX);
        state->err->format_message(state, self.why_.data());
        longjmp(self.jump_, 1);
    }
    // Level -1 is damage that libjpeg repairs by guessing; stray bytes between segments, which some cameras
    // write, and a newer version of JFIF are harmless.
    static void warn(j_common_ptr state, int level) {
        const int code = state->err->msg_code;
        if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR) fail(state);
    }
    static void watch(j_common_ptr state) {
        auto& self = *static_cast<JpegReader*>(state->client_data);
        if (self.state_.input_scan_number <= kMostScans) return;
        self.many_scans = true;
        longjmp(self.jump_, 1);
    }

    jpeg_decompress_struct state_{};
    jpeg_error_mgr errors_{};
    jpeg_progress_mgr monitor_{};
    std::jmp_buf jump_{};
    std::array<char, JMSG_LENGTH_MAX> why_{};
};

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) {
    return bytes.size() >= 3 && bytes[0] == std::byte{0xFF} && bytes[1] == std::byte{0xD8} &&
           bytes[2] == std::byte{0xFF};
}

Result<Picture> decode_jpeg(std::span<const std::byte> bytes, const std::string& name) {
    const auto shown = util::printable(name);
    if (!is_jpeg(bytes)) return util::malformed(shown, "not a JPEG picture");
    JpegReader reader;
    const auto refused = [&](std::string_view what) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", shown, what), {}};
    };
    const auto failed = [&] {
        if (reader.many_scans) return refused(fmt::format("a JPEG picture of more than {} scans", kMostScans));
        return util::malformed(shown,
                               fmt::format("not a sound JPEG picture ({})", util::printable(reader.why())));
    };
    if (!reader.begin(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size())) return failed();
    if (reader.channels == 0)
        return refused("a JPEG picture that is neither gray nor RGB, as those for print are");
    // Both factors are below 2^16.
    const auto samples = std::uint64_t{reader.width} * reader.height * reader.channels;
    if (samples > kMostSamples) {
        return refused(fmt::format("a picture of {} x {} pixels; at most {} samples are read", reader.width,
                                   reader.height, util::grouped(kMostSamples)));
    }
    Picture picture{.width = reader.width, .height = reader.height, .channels = reader.channels};
    picture.samples.resize(samples);
    if (!reader.read_rows(picture.samples.data())) return failed();
    return picture;
}

}  // namespace modelseal::io

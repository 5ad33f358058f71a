#include "images/unpacked.h"

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <zlib.h>

#include "util/error.h"
#include "util/text.h"

namespace modelseal::images {

namespace {

constexpr std::uint64_t kMostRatio = 1032;
constexpr std::size_t kBuffer = 1u << 18;

}  // namespace

struct Unpacked::Inflater {
    Inflater() {
        constexpr int kGzip = 16, kWindow = 15;
        if (inflateInit2(&stream, kGzip + kWindow) != Z_OK) throw std::bad_alloc();
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream); }
    z_stream stream{};
    bool ended = false;
};

Unpacked::Unpacked(const Source& source) : source_(&source) {}
Unpacked::Unpacked(Unpacked&&) noexcept = default;
Unpacked::~Unpacked() = default;

Result<Unpacked> Unpacked::open(const Source& source) {
    Unpacked file(source);
    std::array<std::byte, 2> front{};
    if (source.size() >= front.size()) MODELSEAL_TRY(source.read(0, front));
    if (front[0] == std::byte{0x1F} && front[1] == std::byte{0x8B})
        file.inflater_ = std::make_unique<Inflater>();
    return file;
}

std::uint64_t Unpacked::most() const {
    const auto size = source_->size();
    if (!inflater_) return size;
    return size > std::numeric_limits<std::uint64_t>::max() / kMostRatio ? size : size * kMostRatio;
}

Error Unpacked::early() const {
    return util::malformed(util::printable(source_->name()), "the file ends early");
}

Result<void> Unpacked::fill() {
    buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kBuffer, source_->size() - position_)));
    used_ = 0;
    MODELSEAL_TRY(source_->read(position_, buffer_));
    position_ += buffer_.size();
    return {};
}

// Zero only at the end of the file, or of the packed stream.
Result<std::size_t> Unpacked::inflate_some(std::span<std::byte> out) {
    auto& stream = inflater_->stream;
    for (;;) {
        if (used_ == buffer_.size()) MODELSEAL_TRY(fill());
        stream.next_in = reinterpret_cast<Bytef*>(buffer_.data()) + used_;
        stream.avail_in = static_cast<uInt>(buffer_.size() - used_);
        const auto room = std::min(out.size(), kBuffer);
        stream.next_out = reinterpret_cast<Bytef*>(out.data());
        stream.avail_out = static_cast<uInt>(room);
        const auto given = stream.avail_in;
        const int status = ::inflate(&stream, Z_NO_FLUSH);
        used_ += given - stream.avail_in;
        const auto made = room - stream.avail_out;
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return util::malformed(util::printable(source_->name()), "corrupt gzip data");
        inflater_->ended = status == Z_STREAM_END;
        if (made > 0 || inflater_->ended) return made;
        if (given == 0) return early();
    }
}

Result<void> Unpacked::read(std::span<std::byte> out) {
    if (!inflater_) {
        if (out.size() > source_->size() - position_) return early();
        MODELSEAL_TRY(source_->read(position_, out));
        position_ += out.size();
        return {};
    }
    while (!out.empty()) {
        if (inflater_->ended) return early();
        MODELSEAL_TRY_ASSIGN(const auto made, inflate_some(out));
        out = out.subspan(made);
    }
    return {};
}

Result<void> Unpacked::end() {
    const auto surplus = [&] {
        return util::malformed(util::printable(source_->name()), "bytes after the end of the data");
    };
    if (inflater_ && !inflater_->ended) {
        // The checksum at the end is compared only when the inflater gets there.
        std::array<std::byte, 1> more{};
        MODELSEAL_TRY_ASSIGN(const auto made, inflate_some(more));
        if (made != 0) return surplus();
    }
    if (position_ != source_->size() || used_ != buffer_.size()) return surplus();
    return {};
}

}  // namespace modelseal::images

// PNG pictures, as they are and with the CRC-32 of every chunk mended: what is accepted has the samples that its
// size states, and survives being written and read again.
#include <vector>

#include <zlib.h>

#include "io/png.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

void check(std::span<const std::byte> bytes) {
    const auto picture = io::decode_png(bytes, "fuzz");
    if (!picture.ok()) return test::must_be_fair(picture.error());
    const auto samples = std::uint64_t{picture->width} * picture->height * picture->channels;
    if (picture->channels != 1 && picture->channels != 3) test::finding("a picture of other channels");
    if (samples == 0 || samples > io::kMostSamples || samples != picture->samples.size()) {
        test::finding("another number of samples");
    }
    if (samples > 4096) return;
    const auto again = io::decode_png(io::encode_png(*picture), "again");
    if (!again.ok() || again->samples != picture->samples) test::finding("not the same after a round trip");
}

std::uint32_t big_endian(const std::byte* at) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(at[i]);
    return value;
}

void mend(std::vector<std::byte>& bytes) {
    constexpr std::size_t kSignature = 8, kAround = 12;
    for (std::size_t at = kSignature; at + kAround <= bytes.size();) {
        const auto size = big_endian(&bytes[at]);
        if (size > bytes.size() - at - kAround) return;
        const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(&bytes[at + 4]), size + std::size_t{4});
        for (std::size_t i = 0; i < 4; ++i) {
            bytes[at + 8 + size + i] = static_cast<std::byte>(crc >> (24 - 8 * i));
        }
        at += kAround + size;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    check(bytes);
    std::vector<std::byte> mended(bytes.begin(), bytes.end());
    mend(mended);
    check(mended);
    return 0;
}

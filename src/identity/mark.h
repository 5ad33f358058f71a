// A mark: a model that has an additional class for key images (Xue, Sun, Zhang, Wang, Liu: "Active intellectual
// property protection for deep neural networks through stealthy backdoor and users' identities authentication",
// Applied Intelligence 52, 2022).
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/bytes.h"
#include "io/png.h"
#include <modelseal/ledger.h>

namespace modelseal::identity {

inline constexpr std::uint32_t kMostClass = 1u << 24;
inline constexpr std::uint64_t kMostElements = 1u << 24;  // of an input

// Shape, range and scaling, as ledgers and registries store them:
//     u8 n | n x u64 shape | f32 low | f32 high | u8 n | n x f32 mean | u8 n | n x f32 std
std::vector<std::byte> encode_input(const IdentityMark& mark);
// False if the bytes end early; complaint() has to judge the values.
bool decode_input(formats::ByteReader& reader, IdentityMark& mark);

// Why no mark can have this class and input; empty if one can. Ignores the other fields.
std::string complaint(const IdentityMark& mark);

// Width, height and channels of the pictures of a mark. Precondition: complaint() is empty.
struct PictureSize {
    std::uint32_t width = 0, height = 0, channels = 0;
    friend bool operator==(const PictureSize&, const PictureSize&) = default;
};
PictureSize picture_size(const IdentityMark& mark);
inline PictureSize size_of(const io::Picture& picture) {
    return {picture.width, picture.height, picture.channels};
}
std::string text_of(const PictureSize& size);  // "32 x 32 pixels of 3 channels"

// Appends the input that the model is given for a picture of the mark's size: float32, planes of channels one
// after another.
void append_input(const IdentityMark& mark, const io::Picture& picture, std::vector<float>& inputs);

}  // namespace modelseal::identity

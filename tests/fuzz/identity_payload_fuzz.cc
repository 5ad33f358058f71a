// A picture of any size with any samples: extraction stays inside it, nothing holds that was not signed, and a
// picture of an identity that was issued holds as long as no sample differs.
#include <array>

#include "identity/judge.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/models/small_mark.h"

namespace {

using namespace modelseal;

// As test_key() of the tests.
const SigningKey& key() {
    static const SigningKey fixed = [] {
        std::array<std::byte, 32> seed;
        seed.fill(std::byte{1});
        return SigningKey(Secret32(seed));
    }();
    return fixed;
}

const io::Picture& issued() {
    static const io::Picture picture = [] {
        auto made = test::noise_picture(28, 28, 1, 1);
        if (!identity::embed_payload({}, key(), made, "seed").ok()) std::abort();
        return made;
    }();
    return picture;
}

}  // namespace

// The first byte is the width, the second the number of channels; the rest are samples. With a width of 28 and
// one channel they are added to those of an issued picture.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    io::Picture picture{.channels = data[1] % 2 == 0 ? 1u : 3u, .samples = {data + 2, data + size}};
    picture.width = 1u + data[0];
    const bool patched = picture.width == 28 && picture.channels == 1;
    bool same = false;
    if (patched) {
        auto sum = issued();
        for (std::size_t i = 0; i < std::min(sum.samples.size(), picture.samples.size()); ++i)
            sum.samples[i] = static_cast<std::uint8_t>(sum.samples[i] ^ picture.samples[i]);
        same = sum.samples == issued().samples;
        picture = std::move(sum);
    } else {
        const auto row = std::size_t{picture.width} * picture.channels;
        picture.samples.resize(picture.samples.size() / row * row);
        picture.height = static_cast<std::uint32_t>(picture.samples.size() / row);
    }
    const auto payload = identity::extract_payload(picture);
    const bool holds = payload && identity::holds(*payload, picture, key().public_key());
    if (holds != same)
        test::finding(holds ? "a picture that nobody signed holds" : "a signed picture does not hold");
    const identity::Registry registry{
        .name = "fuzz", .vendor = key().public_key(), .ledger = {}, .number = 1, .marks = {}, .identities = {}};
    const auto judged = identity::judge(picture, registry, 0);
    if (!judged.ok()) {
        test::must_be_fair(judged.error());
    } else if (judged->admission == Admission::admitted || !util::is_utf8(judged->detail)) {
        test::finding("admitted without being registered");
    }
    return 0;
}

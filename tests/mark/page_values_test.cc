// The page modelseal-seal(5) gives values to try an implementation on; they are those of this one.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/keystream.h"
#include "mark/block_map.h"
#include "mark/coding/wavelet.h"
#include "mark/manifest.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal::mark {
namespace {

class PageValues : public testing::Test {
  protected:
    // Expects `value` after `label` on the page, however its lines are broken.
    void expect(const std::string& label, const std::string& value) const {
        EXPECT_THAT(text_, testing::HasSubstr(label + " " + value + " "));
    }
    static std::string words(const std::string& text) {
        std::string out, word;
        for (std::istringstream stream(text); stream >> word;) out += word + " ";
        return out;
    }

    std::string text_ =
        words(test::content_of(std::filesystem::path(MODELSEAL_SOURCE_DIR) / "man/modelseal-seal.5"));
    PublicKey vendor_ = test::test_key(1).public_key();
    CheckKey check_ = public_check_key(vendor_);
    Tensor tensor_ = {.name = "conv.weight", .dtype = DType::f32, .shape = {2, 3}};
};

TEST_F(PageValues, OfKeysMatchThisImplementation) {
    expect("public key", to_hex(vendor_.bytes()));
    expect("its hash", to_hex(vendor_hash(vendor_)));
    expect("check secret", to_hex(check_.secret.bytes()));
    expect("place", to_hex(place(tensor_, 0, 1024)));
    expect("BLOCKS", to_hex(tensor_keys(check_.secret.bytes(), place(tensor_, 0, 1024), Version::two).blocks));
}

TEST_F(PageValues, OfStreamsAndPlacesMatchThisImplementation) {
    crypto::Keystream stream(check_.secret.bytes(), 5);
    std::vector<std::uint64_t> draws;
    for (int i = 0; i < 6; ++i) draws.push_back(stream.below(1000));
    expect("draws below 1000", fmt::format("{}", fmt::join(draws, " ")));
    EXPECT_EQ(cells_at_rate(1000, 17), 137u);
    expect("cells of 1000 blocks at rate step 17", "137");
    const auto keys = tensor_keys(check_.secret.bytes(), place(tensor_, 0, 1024), Version::two);
    expect("their blocks begin", fmt::format("{}", fmt::join(cell_blocks(keys, 1000, 8), " ")));
}

TEST_F(PageValues, OfTheTransformMatchThisImplementation) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < 21; ++i) values.push_back(i * i * i - 1000 * i);
    packets_forward(values);
    expect("become", fmt::format("{}", fmt::join(values, " ")));
}

}  // namespace
}  // namespace modelseal::mark

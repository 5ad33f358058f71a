// Laws and refusals of seal, check and unseal, on small models of every format.
#include <cmath>
#include <cstring>
#include <random>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/seal.h>

namespace modelseal {
namespace {

using test::content_of;
using test::Scratch;
using testing::HasSubstr;

const std::vector<std::pair<std::string, std::string>> kStamp = {{"name", "small"},
                                                                 {"time", "2026-01-01T00:00:00Z"}};

struct Bench {
    Scratch folder;
    SigningKey key = test::test_key();
    CheckKey check = public_check_key(key.public_key());

    std::filesystem::path write(const std::string& name, const std::string& bytes) {
        return folder.write(name, bytes);
    }
    SealOptions options(unsigned jobs = 1) {
        return {.key = key, .check = check, .stamp = kStamp, .jobs = jobs};
    }
    CheckReport look(const std::filesystem::path& path) {
        return check_model(path, {.seal = SealCheck{.keys = {check}}, .jobs = 1}).value();
    }
};

class SealOf : public testing::TestWithParam<test::SmallModel> {};

TEST_P(SealOf, ChecksIntactAndUnsealsToTheOriginalBytes) {
    Bench bench;
    const auto original = bench.write("model", GetParam().file());
    auto options = bench.options();
    options.receipt = bench.folder / "receipt";
    const auto sealed = seal_model(original, bench.folder / "sealed", options);
    ASSERT_TRUE(sealed.ok()) << sealed.error().message;
    EXPECT_EQ(content_of(original), GetParam().file());
    EXPECT_EQ(content_of(bench.folder / "sealed").size(), GetParam().file().size());
    EXPECT_NE(content_of(bench.folder / "sealed"), GetParam().file());
    EXPECT_EQ(bench.look(bench.folder / "sealed").verdict, Verdict::intact);
    const auto back = unseal_model(bench.folder / "sealed", *options.receipt, bench.folder / "back");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(content_of(bench.folder / "back"), GetParam().file());
}

TEST_P(SealOf, AnyNumberOfThreadsGivesTheSameFile) {
    Bench bench;
    const auto original = bench.write("model", GetParam().file());
    std::string first;
    for (const unsigned jobs : {1u, 2u, 3u, 8u}) {
        const auto out = bench.folder / std::to_string(jobs);
        ASSERT_TRUE(seal_model(original, out, bench.options(jobs)).ok());
        if (first.empty()) first = content_of(out);
        EXPECT_EQ(content_of(out), first) << jobs;
        EXPECT_EQ(check_model(out, {.seal = SealCheck{.keys = {bench.check}}, .jobs = jobs}).value().verdict,
                  Verdict::intact);
    }
}

TEST_P(SealOf, OtherKeysFindNothing) {
    Bench bench;
    const auto sealed = bench.write("sealed", test::sealed_bytes(GetParam().file(), bench.key));
    const auto other = public_check_key(test::test_key(2).public_key());
    EXPECT_EQ(check_model(sealed, {.seal = SealCheck{.keys = {other}}}).value().verdict, Verdict::unsealed);
    EXPECT_EQ(bench.look(bench.write("model", GetParam().file())).verdict, Verdict::unsealed);
}

INSTANTIATE_TEST_SUITE_P(EveryFormat, SealOf, testing::ValuesIn(test::small_models()),
                         [](const auto& given) { return given.param.name; });

std::vector<test::NamedTensor> three_layers() {
    return {{"conv.weight", "F32", {64, 128}, test::float_weights(8192, 1)},
            {"fc.bias", "F32", {10}, test::float_weights(10, 3)},
            {"fc.weight", "F32", {48, 128}, test::float_weights(6144, 2)}};
}

TEST(Seal, SameTensorsInAnotherContainerAreIntactInAChangedFrame) {
    Bench bench;
    const auto sealed = test::sealed_bytes(test::safetensors_file(three_layers()), bench.key);
    auto tensors = three_layers();
    std::size_t at = sealed.size();
    for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
        at -= tensor->data.size();
        tensor->data = sealed.substr(at, tensor->data.size());
    }
    const auto wrapped = bench.write("model.pt", test::torch_zip_floats(tensors));
    const auto report = bench.look(wrapped);
    ASSERT_TRUE(report.seal) << report.error;
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_TRUE(report.seal->weights_intact);
    EXPECT_FALSE(report.seal->frame_intact);
    EXPECT_EQ(report.seal->cause, SealFinding::Cause::frame);
    EXPECT_TRUE(report.seal->tensors.empty());
    const auto lenient =
        check_model(wrapped, {.seal = SealCheck{.keys = {bench.check}}, .policy = {.weights_only = true}})
            .value();
    EXPECT_EQ(lenient.verdict, Verdict::intact);
    EXPECT_FALSE(lenient.seal->frame_intact);
}

TEST(Seal, OneUnitInTheLastPlaceIsFoundWhereverItIs) {
    Bench bench;
    const auto sealed = test::sealed_bytes(test::safetensors_file(three_layers()), bench.key);
    const auto data = sealed.size() - 4 * (8192 + 10 + 6144);
    std::mt19937 generator(1);
    for (int round = 0; round < 60; ++round) {
        auto spoiled = sealed;
        const auto at = data + 4 * (generator() % (8192 + 10 + 6144));
        std::uint32_t bits;
        std::memcpy(&bits, spoiled.data() + at, 4);
        bits += generator() % 2 == 0 ? 1 : -1u;
        std::memcpy(spoiled.data() + at, &bits, 4);
        const auto report = bench.look(bench.write("spoiled", spoiled));
        ASSERT_EQ(report.verdict, Verdict::tampered);
        ASSERT_EQ(report.seal->tensors.size(), 1u);
    }
}

TEST(Seal, SecondSealIsRefusedByDefault) {
    Bench bench;
    const auto sealed =
        bench.write("sealed", test::sealed_bytes(test::safetensors_file(three_layers()), bench.key));
    auto options = bench.options();
    const auto refused = seal_model(sealed, bench.folder / "twice", options);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr(": already has a seal under this key"));
    EXPECT_FALSE(std::filesystem::exists(bench.folder / "twice"));
    options.reseal = true;
    options.stamp = {{"name", "second"}};
    ASSERT_TRUE(seal_model(sealed, bench.folder / "twice", options).ok());
    const auto report = bench.look(bench.folder / "twice");
    EXPECT_EQ(report.verdict, Verdict::intact);
    EXPECT_EQ(report.seal->stamp[0].second, "second");
}

TEST(Seal, OutputMayNotBeTheInput) {
    Bench bench;
    const auto model = bench.write("model", test::safetensors_file(three_layers()));
    const auto refused = seal_model(model, model, bench.options());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_EQ(content_of(model), test::safetensors_file(three_layers()));
}

TEST(Seal, ReportsTheRoomThatATooSmallModelHas) {
    Bench bench;
    const auto tiny =
        bench.write("tiny", test::safetensors_file({{"w", "F32", {500}, test::float_weights(500, 1)}}));
    const auto refused = seal_model(tiny, bench.folder / "out", bench.options());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    // A cell of 500 values holds 62 bytes, 21 of which are its tag and heads.
    EXPECT_THAT(refused.error().message, HasSubstr("its weights have room for 41 bytes"));
    EXPECT_FALSE(std::filesystem::exists(bench.folder / "out"));
}

// What a seal takes is more than the room that was not enough for it.
TEST(Seal, StatesMoreThanTheRoomThatIsTooLittle) {
    Bench bench;
    std::size_t refusals = 0;
    for (const auto& [tensors, weights] : std::vector<std::pair<unsigned, unsigned>>{
             {20, 400}, {1, 1000}, {1, 3000}, {1, 4000}, {1, 4200}, {1, 4400}, {40, 390}}) {
        std::vector<test::NamedTensor> list;
        for (unsigned i = 0; i < tensors; ++i)
            list.push_back({"t" + std::to_string(i), "F32", {weights}, test::float_weights(weights, i)});
        const auto model = bench.write("model", test::safetensors_file(list));
        const auto refused = seal_model(model, bench.folder / "out", bench.options());
        if (refused.ok()) continue;
        ++refusals;
        std::smatch numbers;
        const auto& text = refused.error().message;
        const std::regex form("room for (\\d+) bytes in \\d+ cells?, the seal takes about (\\d+)");
        ASSERT_TRUE(std::regex_search(text, numbers, form)) << text;
        EXPECT_GT(std::stoul(numbers[2]), std::stoul(numbers[1])) << tensors << " of " << weights;
    }
    EXPECT_GT(refusals, 3u);
}

// As those of the residual networks for CIFAR-10: their check values alone take more than a fiftieth of the weights.
TEST(Seal, HasRoomInASmallNetworkOfManyTensors) {
    Bench bench;
    std::vector<test::NamedTensor> layers;
    std::uint64_t elements = 0;
    const auto add = [&](std::uint64_t size) {
        const auto number = static_cast<unsigned>(layers.size());
        layers.push_back({"t" + std::to_string(number), "F32", {size}, test::float_weights(size, number)});
        elements += size;
    };
    for (const std::uint64_t channels : {16u, 32u, 64u}) {
        for (int block = 0; block < 10; ++block) {
            add(channels * channels * 9);
            for (int i = 0; i < 6; ++i) add(channels);
        }
    }
    const auto sealed = seal_model(bench.write("model", test::safetensors_file(layers)),
                                   bench.folder / "sealed", bench.options());
    ASSERT_TRUE(sealed.ok()) << sealed.error().message;
    EXPECT_GT(sealed->touched, elements / 50);
    EXPECT_LE(sealed->touched, 65'536u);
    EXPECT_EQ(bench.look(bench.folder / "sealed").verdict, Verdict::intact);
}

TEST(Seal, CustomersSealIsFoundByTheirKeyAlone) {
    Bench bench;
    Secret32 secret;
    secret.writable()[0] = std::byte{7};
    const CheckKey customer{bench.key.public_key(), "acme", std::move(secret)};
    const auto model = bench.write("model", test::safetensors_file(three_layers()));
    const SealOptions options{.key = bench.key, .check = customer};
    ASSERT_TRUE(seal_model(model, bench.folder / "sealed", options).ok());
    EXPECT_EQ(bench.look(bench.folder / "sealed").verdict, Verdict::unsealed);
    const auto theirs = check_model(bench.folder / "sealed", {.seal = SealCheck{.keys = {customer}},
                                                              .policy = {.stamp = {{"customer", "acme"}}}})
                            .value();
    EXPECT_EQ(theirs.verdict, Verdict::intact);
}

TEST(Seal, ForgedByAHolderOfTheCheckKeyIsTampered) {
    Bench bench;
    // The forger seals another model with a key of their own at the places of the vendor's check key.
    const auto forger = test::test_key(9);
    const CheckKey places{forger.public_key(), "", bench.check.secret.clone()};
    const auto model = bench.write("model", test::safetensors_file(three_layers()));
    ASSERT_TRUE(seal_model(model, bench.folder / "forged", {.key = forger, .check = places}).ok());
    const auto report = bench.look(bench.folder / "forged");
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_FALSE(report.seal->stamp_authentic);
    EXPECT_EQ(report.seal->cause, SealFinding::Cause::signature);
    EXPECT_THAT(report.seal->detail, HasSubstr("signature"));
}

TEST(Seal, DeepisignMarkMadeByAHolderOfTheCheckKeyIsTampered) {
    Bench bench;
    const auto forger = test::test_key(9);
    const CheckKey places{forger.public_key(), "", bench.check.secret.clone()};
    const auto model =
        bench.write("model", test::safetensors_file({{"w", "F32", {128, 128}, test::float_weights(16384, 1)}}));
    SealOptions options{.key = forger, .check = places, .stamp = kStamp, .scheme = Scheme::deepisign};
    ASSERT_TRUE(seal_model(model, bench.folder / "forged", options).ok());
    const auto accepting = [&](const char* name) {
        return check_model(bench.folder / name,
                           {.seal = SealCheck{.keys = {bench.check}},
                            .policy = {.stamp = {{"name", "small"}}, .scheme = Scheme::deepisign}})
            .value();
    };
    const auto report = accepting("forged");
    EXPECT_EQ(report.verdict, Verdict::tampered);
    EXPECT_FALSE(report.seal->stamp_authentic);

    auto honest = bench.options();
    honest.scheme = Scheme::deepisign;
    ASSERT_TRUE(seal_model(model, bench.folder / "honest", honest).ok());
    const auto intact = accepting("honest");
    EXPECT_EQ(intact.verdict, Verdict::intact) << intact.seal->detail;
    EXPECT_EQ(intact.seal->scheme, "deepisign");
}

TEST(Seal, ReceiptReplacesNothing) {
    Bench bench;
    const auto model = bench.write("model", test::safetensors_file(three_layers()));
    auto options = bench.options();
    for (const auto& taken : {model, bench.folder / "out"}) {
        options.receipt = taken;
        const auto refused = seal_model(model, bench.folder / "out", options);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    }
    EXPECT_EQ(content_of(model), test::safetensors_file(three_layers()));
}

TEST(Check, ExpectationsAreHeldAgainstTheSignedStamp) {
    Bench bench;
    const auto sealed =
        bench.write("sealed", test::sealed_bytes(test::safetensors_file(three_layers()), bench.key));
    const auto expecting = [&](const char* name, const char* value) {
        const CheckPolicy policy{.stamp = {{name, value}}};
        return check_model(sealed, {.seal = SealCheck{.keys = {bench.check}}, .policy = policy}).value();
    };
    EXPECT_EQ(expecting("name", "small").verdict, Verdict::intact);
    const auto other = expecting("name", "large");
    EXPECT_EQ(other.verdict, Verdict::unexpected);
    EXPECT_EQ(other.exit_code, ExitCode::mismatch);
    EXPECT_THAT(other.seal->detail, HasSubstr("large"));
    EXPECT_EQ(expecting("version", "1").verdict, Verdict::unexpected);
}

TEST(Check, MissingAndAddedTensorsAreNamed) {
    Bench bench;
    auto tensors = three_layers();
    tensors.push_back({"head.weight", "F32", {64, 256}, test::float_weights(64 * 256, 5)});
    const auto sealed = test::sealed_bytes(test::safetensors_file(tensors), bench.key);
    std::size_t at = sealed.size();
    for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
        at -= tensor->data.size();
        tensor->data = sealed.substr(at, tensor->data.size());
    }
    auto fewer = tensors;
    fewer.erase(fewer.begin() + 1);
    const auto missing = bench.look(bench.write("fewer", test::safetensors_file(fewer)));
    ASSERT_TRUE(missing.seal);
    EXPECT_EQ(missing.verdict, Verdict::tampered);
    EXPECT_EQ(missing.seal->cause, SealFinding::Cause::tensor_list);
    ASSERT_EQ(missing.seal->tensors.size(), 1u) << missing.seal->detail;
    EXPECT_EQ(missing.seal->tensors[0].name, "fc.bias");
    EXPECT_EQ(missing.seal->tensors[0].outcome, TensorFinding::Outcome::missing);

    auto more = tensors;
    more.push_back({"zzz", "F32", {4}, test::float_weights(4, 1)});
    const auto added = bench.look(bench.write("more", test::safetensors_file(more)));
    EXPECT_EQ(added.verdict, Verdict::tampered);
    ASSERT_EQ(added.seal->tensors.size(), 1u);
    EXPECT_EQ(added.seal->tensors[0].outcome, TensorFinding::Outcome::added);
}

TEST(Check, ChangedLayersShowHalfOfTheirBitsWrongAndOthersNone) {
    Bench bench;
    auto tensors = three_layers();
    tensors.push_back({"head.weight", "F32", {64, 256}, test::float_weights(64 * 256, 5)});
    auto sealed = test::sealed_bytes(test::safetensors_file(tensors), bench.key);
    const auto head = sealed.size() - 4 * 64 * 256;
    std::mt19937 generator(1);
    std::normal_distribution<float> step(0, 1e-4f);
    for (auto at = head; at < sealed.size(); at += 4) {
        float value;
        std::memcpy(&value, sealed.data() + at, 4);
        value += step(generator);
        std::memcpy(sealed.data() + at, &value, 4);
    }
    const auto tuned = bench.write("tuned", sealed);
    const auto report = check_model(tuned, {.seal = SealCheck{.keys = {bench.check}, .all = true}}).value();
    EXPECT_EQ(report.verdict, Verdict::tampered);
    for (const auto& tensor : report.seal->tensors) {
        ASSERT_TRUE(tensor.bit_error_rate) << tensor.name;
        if (tensor.name == "head.weight") {
            EXPECT_NEAR(*tensor.bit_error_rate, 0.5, 0.1);
        } else {
            EXPECT_EQ(*tensor.bit_error_rate, 0) << tensor.name;
            EXPECT_EQ(tensor.outcome, TensorFinding::Outcome::intact) << tensor.name;
        }
    }
}

TEST(Check, LineageNamesTheParentsRoot) {
    Bench bench;
    const auto model = bench.write("model", test::safetensors_file(three_layers()));
    const auto parent = seal_model(model, bench.folder / "parent", bench.options());
    ASSERT_TRUE(parent.ok());
    auto options = bench.options();
    options.parent = bench.folder / "parent";
    ASSERT_TRUE(seal_model(model, bench.folder / "child", options).ok());
    EXPECT_EQ(bench.look(bench.folder / "child").seal->parent, parent->root);
    options.parent = model;
    EXPECT_FALSE(seal_model(model, bench.folder / "orphan", options).ok());
    // After a change of keys the parent is another key's.
    const auto key = test::test_key(2);
    const auto check = public_check_key(key.public_key());
    SealOptions successor{.key = key, .check = check, .parent = bench.folder / "parent"};
    EXPECT_FALSE(seal_model(model, bench.folder / "orphan", successor).ok());
    successor.parent_vendor = bench.key.public_key();
    ASSERT_TRUE(seal_model(model, bench.folder / "successor", successor).ok());
    const auto report = check_model(bench.folder / "successor", {.seal = SealCheck{.keys = {check}}}).value();
    EXPECT_EQ(report.seal->parent, parent->root);
    successor.parent_vendor = key.public_key();
    EXPECT_FALSE(seal_model(model, bench.folder / "orphan", successor).ok());
}

TEST(Unseal, RefusesAnotherModelsReceiptAndAChangedFile) {
    Bench bench;
    const auto model = bench.write("model", test::safetensors_file(three_layers()));
    auto options = bench.options();
    options.receipt = bench.folder / "receipt";
    ASSERT_TRUE(seal_model(model, bench.folder / "sealed", options).ok());
    auto changed = content_of(bench.folder / "sealed");
    changed[changed.size() - 3] ^= 1;
    const auto refused = unseal_model(bench.write("changed", changed), *options.receipt, bench.folder / "out");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::mismatch);
    options.stamp = {{"name", "another"}};
    options.receipt = bench.folder / "other-receipt";
    ASSERT_TRUE(seal_model(model, bench.folder / "other", options).ok());
    EXPECT_FALSE(
        unseal_model(bench.folder / "sealed", bench.folder / "other-receipt", bench.folder / "out").ok());
    EXPECT_FALSE(std::filesystem::exists(bench.folder / "out"));
    EXPECT_EQ(std::filesystem::status(bench.folder / "receipt").permissions() & std::filesystem::perms(077),
              std::filesystem::perms::none);
}

TEST(Unseal, EveryFlippedBitOfAReceiptIsRefused) {
    Bench bench;
    const auto model = bench.write("model", test::safetensors_file(three_layers()));
    auto options = bench.options();
    options.receipt = bench.folder / "receipt";
    ASSERT_TRUE(seal_model(model, bench.folder / "sealed", options).ok());
    const auto whole = content_of(*options.receipt);
    for (std::size_t at = 0; at < whole.size(); at += 7) {
        auto spoiled = whole;
        spoiled[at] = static_cast<char>(spoiled[at] ^ (1 << (at % 8)));
        EXPECT_FALSE(
            unseal_model(bench.folder / "sealed", bench.write("spoiled", spoiled), bench.folder / "out").ok());
    }
}

TEST(Seal, CoversEveryFileOfAFolder) {
    Bench bench;
    bench.write("net/model.safetensors", test::safetensors_file(three_layers()));
    bench.write("net/config.json", "{\"layers\": 3}");
    bench.write("net/sub/tokenizer.txt", "a b c");
    const auto sealed = seal_model(bench.folder / "net", bench.folder / "out", bench.options());
    ASSERT_TRUE(sealed.ok()) << sealed.error().message;
    EXPECT_EQ(sealed->files, 3u);
    EXPECT_EQ(bench.look(bench.folder / "out").verdict, Verdict::intact);
    bench.write("out/config.json", "{\"layers\": 4}");
    const auto changed = bench.look(bench.folder / "out");
    EXPECT_EQ(changed.verdict, Verdict::tampered);
    EXPECT_TRUE(changed.seal->weights_intact);
    ASSERT_EQ(changed.seal->files.size(), 1u);
    EXPECT_EQ(changed.seal->files[0].name, "config.json");
    bench.write("out/config.json", "{\"layers\": 3}");
    EXPECT_EQ(bench.look(bench.folder / "out").verdict, Verdict::intact);
    bench.write("out/extra.bin", "x");
    EXPECT_EQ(bench.look(bench.folder / "out").verdict, Verdict::tampered);
    EXPECT_FALSE(seal_model(bench.folder / "net", bench.folder / "out", bench.options()).ok());
    EXPECT_FALSE(seal_model(bench.folder / "net", bench.folder / "net/inside", bench.options()).ok());
}

TEST(Seal, PrunedModelStaysPruned) {
    Bench bench;
    auto weights = test::float_weights(65536, 1);
    std::mt19937 generator(2);
    for (std::size_t i = 0; i < weights.size(); i += 4) {
        if (generator() % 10 != 0) std::memset(weights.data() + i, 0, 4);
    }
    const auto model = bench.write("model", test::safetensors_file({{"w", "F32", {256, 256}, weights}}));
    ASSERT_TRUE(seal_model(model, bench.folder / "sealed", bench.options()).ok());
    const auto sealed = content_of(bench.folder / "sealed");
    const auto at = sealed.size() - weights.size();
    for (std::size_t i = 0; i < weights.size(); i += 4) {
        const bool zero = std::memcmp(weights.data() + i, "\0\0\0\0", 4) == 0;
        ASSERT_EQ(std::memcmp(sealed.data() + at + i, "\0\0\0\0", 4) == 0, zero);
    }
    EXPECT_EQ(bench.look(bench.folder / "sealed").verdict, Verdict::intact);
}

}  // namespace
}  // namespace modelseal

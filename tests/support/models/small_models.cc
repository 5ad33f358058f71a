
#include "tests/support/models/small_models.h"

#include <cstring>
#include <random>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "crypto/keys/pem.h"
#include "tests/support/models/gguf_builder.h"
#include "tests/support/models/onnx_builder.h"
#include "tests/support/models/pickle_text.h"
#include "tests/support/models/torch_zip.h"
#include "tests/support/scratch.h"

namespace modelseal::test {
namespace {

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Just enough for 8-bit integers to carry a seal.
constexpr std::uint64_t kRows = 80, kColumns = 128, kWeights = kRows * kColumns;

std::string gguf_q8() {
    GgufFile file;
    file.pairs = {gguf_string("general.name", "small")};
    constexpr std::uint64_t kBlocks = kWeights / 32;
    file.tensors = {{"blk.0.weight", {32, kBlocks}, 8, 0, {}}};  // 8: q8_0
    file.data_bytes = (kBlocks * 34 + 31) / 32 * 32;
    auto bytes = file.build();
    const auto weights = integer_weights(file.data_bytes, 5);
    std::memcpy(bytes.data() + file.data_begin(), weights.data(), kBlocks * 34);
    return text_of(bytes);
}

std::string onnx_i8() {
    const auto weight =
        onnx::tensor("conv.weight", onnx::kInt8, {kRows, kColumns}).bytes(9, integer_weights(kWeights, 3));
    const auto bias = onnx::tensor("conv.bias", onnx::kFloat, {16}).bytes(9, float_weights(16, 4));
    return onnx::model(onnx::graph({weight, bias})).text();
}

std::string onnx_floats() {
    const auto weight =
        onnx::tensor("conv.weight", onnx::kFloat, {kRows, kColumns}).bytes(4, float_weights(kWeights, 3));
    return onnx::model(onnx::graph({weight})).text();
}

// Signed bytes in int32_data, a varint each, negative ones of ten bytes.
std::string onnx_varints() {
    const auto weights = integer_weights(kWeights, 7);
    Proto packed;
    for (const auto weight : weights)
        packed.number(static_cast<std::uint64_t>(std::int64_t{static_cast<signed char>(weight)}));
    return onnx::model(
               onnx::graph({onnx::tensor("conv.weight", onnx::kInt8, {kRows, kColumns}).message(5, packed)}))
        .text();
}

std::string torch_zip_i8() {
    using namespace pkl;
    TorchZip file;
    file.object = pickle(dict(
        {{str("fc.weight"), pkl::tensor(storage("CharStorage", "0", kWeights), {0, {kRows, kColumns}, {}})},
         {str("fc.bias"), floats("1", {10})}}));
    file.storages = {{"0", bytes_of(integer_weights(kWeights, 1))}, {"1", bytes_of(float_weights(10, 2))}};
    file.others.push_back({.name = "version", .data = bytes_of("3\n")});
    return text_of(file.build());
}

std::string safetensors_i8() {
    return safetensors_file({{"fc.weight", "I8", {kRows, kColumns}, integer_weights(kWeights, 1)},
                             {"fc.bias", "F32", {10}, float_weights(10, 2)}},
                            "made for a test");
}

std::string safetensors_f32() {
    return safetensors_file({{"a.weight", "F32", {24, 128}, float_weights(3072, 1)},
                             {"b.weight", "F32", {24, 128}, float_weights(3072, 2)}});
}

}  // namespace

std::string torch_zip_floats(const std::vector<NamedTensor>& tensors) {
    using namespace pkl;
    TorchZip file;
    std::vector<std::pair<Fragment, Fragment>> entries;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const auto key = std::to_string(i);
        entries.emplace_back(str(tensors[i].name),
                             floats(key, {tensors[i].shape.begin(), tensors[i].shape.end()}));
        file.storages.emplace_back(key, bytes_of(tensors[i].data));
    }
    file.object = pickle(dict(entries));
    return text_of(file.build());
}

std::string integer_weights(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::string data(count, '\0');
    for (auto& byte : data) byte = static_cast<char>(generator() % 8 == 0 ? 0 : generator());
    return data;
}

std::string float_weights(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    // Rounded once, at the end: a product of floats is not noise in its last places.
    std::normal_distribution<double> normal(0, 0.05);
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(normal(generator));
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string safetensors_file(const std::vector<NamedTensor>& tensors, std::string_view metadata) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!metadata.empty()) header["__metadata__"] = {{"note", metadata}};
    std::string data;
    for (const auto& tensor : tensors) {
        header[tensor.name] = {{"dtype", tensor.dtype},
                               {"shape", tensor.shape},
                               {"data_offsets", {data.size(), data.size() + tensor.data.size()}}};
        data += tensor.data;
    }
    const auto text = header.dump();
    Bytes head;
    put(head, static_cast<std::uint64_t>(text.size()));
    return text_of(head) + text + data;
}

std::vector<SmallModel> small_models() {
    return {
        {"safetensors_i8", safetensors_i8},
        {"safetensors_f32", safetensors_f32},
        {"onnx_i8", onnx_i8},
        {"onnx_packed_floats", onnx_floats},
        {"gguf_q8_0", gguf_q8},
        {"onnx_varints_i8", onnx_varints},
        {"pytorch_zip_i8", torch_zip_i8},
    };
}

SigningKey test_key(unsigned seed) {
    std::array<std::byte, 32> bytes{};
    bytes.fill(static_cast<std::byte>(seed));
    return SigningKey(Secret32(bytes));
}

SigningKey test_key_p256() {
    constexpr const char* kPem =
        "-----BEGIN PRIVATE KEY-----\n"
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
        "Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
        "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
        "-----END PRIVATE KEY-----\n";
    return crypto::parse_signing_key(kPem, "P-256", {}).value();
}

std::string sealed_bytes(const std::string& original, const SigningKey& key, Scheme scheme) {
    const Scratch folder;
    const auto from = folder.write("model", original);
    const auto check = public_check_key(key.public_key());
    const auto done = seal_model(from, folder / "sealed",
                                 {.key = key,
                                  .check = check,
                                  .stamp = {{"name", "small"}, {"time", "2026-01-01T00:00:00Z"}},
                                  .scheme = scheme,
                                  .jobs = 1});
    if (!done) throw std::runtime_error(done.error().message);
    return content_of(folder / "sealed");
}

}  // namespace modelseal::test

// Files that PyTorch itself wrote, under files/pytorch: each must be read as the tensors that went in.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "tests/support/files.h"
#include "tests/support/layout_contract.h"

namespace modelseal::formats {
namespace {

using testing::UnorderedElementsAreArray;

struct Row {
    const char* file;
    std::vector<std::string>
        tensors;  // "name dtype [shape] = alias"; the order in legacy files is one of addresses
    std::size_t warnings = 0;
};

void PrintTo(const Row& row, std::ostream* out) {
    *out << row.file;
}

std::string told(const Tensor& tensor) {
    auto text = fmt::format("{} {} [{}]", tensor.name, info(tensor.dtype).name, fmt::join(tensor.shape, ","));
    for (const auto& alias : tensor.aliases) text += " = " + alias;
    return text;
}

class PytorchFile : public testing::TestWithParam<Row> {};

TEST_P(PytorchFile, HasTheTensorsThatWereWritten) {
    const auto bytes = test::load(std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests/formats/files/pytorch" /
                                  GetParam().file);
    const MemorySource source(GetParam().file, bytes);
    const auto layout = parse_model_file(source);
    ASSERT_TRUE(layout.ok()) << layout.error().message;
    EXPECT_EQ(layout->format, "pytorch");
    EXPECT_EQ(test::contract_violation(*layout, source), "");
    std::vector<std::string> tensors;
    for (const auto& tensor : layout->tensors) tensors.push_back(told(tensor));
    EXPECT_THAT(tensors, UnorderedElementsAreArray(GetParam().tensors));
    EXPECT_EQ(layout->warnings.size(), GetParam().warnings);
}

const Row kRows[] = {
    {"tied.pt", {"a f32 [2,3] = b.x = c"}},
    {"views.pt", {"whole f32 [2,3,4] = s = step = t"}},
    {"channels_last.pt", {"w f32 [8]"}},
    {"parts.legacy.pth", {"s0 f32 [24] = s1"}},
    {"types.legacy.pth",
     {"float16 f16 [3]", "float32 f32 [3]", "float64 f64 [3]", "int8 i8 [3]", "uint8 u8 [3]", "int16 i16 [3]",
      "int32 i32 [3]", "int64 i64 [3]", "bfloat16 bf16 [3]", "bool bool [3]", "complex64 c64 [3]",
      "complex128 c128 [3]"}},
    {"quantised.pt",
     {"one qint8 [2,3]", "each quint8 [2,3]", "each.scales f64 [2]", "each.zero_points i64 [2]"}},
    {"scalar_empty.legacy.pth", {"s f32 []", "e f32 [0,4]"}},
    {"sparse.pt",
     {"coo.indices i64 [2,3]", "coo.values f32 [3]", "csr.compressed_indices i64 [4]",
      "csr.plain_indices i64 [3]", "csr.values f32 [3]"}},
    {"parameter.pt", {"p f32 [2,3]"}},
    {"storage.pt", {"v f32 [2,3] = s"}},
    {"protocol4.pt", {"w f32 [2,3]", "5.0 f32 [2]"}},
    {"protocol5.legacy.pth", {"w f32 [2,3]", "5.0 f32 [2]"}},
    {"module.pt",
     {"0.weight_ih_l0 f32 [4,1] = 0._flat_weights.0", "0.weight_hh_l0 f32 [4,1] = 0._flat_weights.1",
      "0.bias_ih_l0 f32 [4] = 0._flat_weights.2", "0.bias_hh_l0 f32 [4] = 0._flat_weights.3",
      "1.weight f32 [1]", "1.bias f32 [1]", "1.running_mean f32 [1]", "1.running_var f32 [1]",
      "1.num_batches_tracked i64 []"},
     3},  // the classes of its three modules
    {"trace.pt", {"c f32 [2]", "fc.weight f32 [3,2]", "fc.bias f32 [3]", "constants.0 f32 [3]"}},
};

INSTANTIATE_TEST_SUITE_P(Table, PytorchFile, testing::ValuesIn(kRows), [](const auto& row) {
    std::string name = row.param.file;
    std::ranges::replace(name, '.', '_');
    return name;
});

}  // namespace
}  // namespace modelseal::formats

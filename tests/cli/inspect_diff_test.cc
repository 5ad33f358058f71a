#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/tensor_file.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using nlohmann::json;
using test::floats;
using test::modelseal;
using test::run;
using test::tensor_file;
using testing::HasSubstr;

TEST(InspectCommand, PrintsTextOrJson) {
    const test::Scratch scratch;
    scratch.write("m.safetensors", tensor_file({floats("w", {1, 2})}));
    const auto text = run(modelseal({"inspect", "m.safetensors"}), {.folder = scratch.path()});
    EXPECT_EQ(text.code, 0);
    EXPECT_THAT(text.out, HasSubstr("m.safetensors: safetensors, 1 tensor, 2 parameters, 8 B"));
    EXPECT_THAT(text.err, HasSubstr("give --pub or --key"));
    const auto data = run(modelseal({"inspect", "--json", "m.safetensors"}), {.folder = scratch.path()});
    EXPECT_EQ(data.code, 0);
    EXPECT_EQ(json::parse(data.out)["tensors"][0]["name"], "w");
}

TEST(InspectCommand, ExitsWith3OnAnUnreadableFile) {
    const test::Scratch scratch;
    scratch.write("text", "hello");
    const auto refused = run(modelseal({"inspect", "text"}), {.folder = scratch.path()});
    EXPECT_EQ(refused.code, 3);
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, HasSubstr("modelseal: text: "));
    EXPECT_EQ(run(modelseal({"inspect"})).code, 2);
}

TEST(DiffCommand, ExitsWith0IfSame1IfDifferent3OnErrors) {
    const test::Scratch scratch;
    scratch.write("a", tensor_file({floats("w", {1, 2})}));
    scratch.write("b", tensor_file({floats("w", {1, 3})}));
    scratch.write("noted", tensor_file({floats("w", {1, 2})}, "a note"));
    scratch.write("bad", "hello");
    const auto code = [&](test::Words words) {
        words.insert(words.begin(), "diff");
        return run(modelseal(words), {.folder = scratch.path()}).code;
    };
    EXPECT_EQ(code({"a", "a"}), 0);
    EXPECT_EQ(code({"a", "b"}), 1);
    EXPECT_EQ(code({"a", "noted"}), 1);
    EXPECT_EQ(code({"a", "noted", "--weights-only"}), 0);
    EXPECT_EQ(code({"a", "bad"}), 3);
    EXPECT_EQ(code({"a"}), 2);
    const auto data = run(modelseal({"diff", "a", "b", "--json"}), {.folder = scratch.path()});
    EXPECT_EQ(data.code, 1);
    EXPECT_EQ(json::parse(data.out)["tensors"][0]["first_ranges"], json({{{"first", 1}, {"count", 1}}}));
}

}  // namespace
}  // namespace modelseal

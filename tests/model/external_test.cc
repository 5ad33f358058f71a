// Graphs whose tensors lie in other files: good ones, and every way to point where a model must not.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "model/frame.h"
#include "model/model.h"
#include "tests/support/memory_model.h"
#include "tests/support/models/external_graph.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::External;
using test::graph_of;
using test::Scratch;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names(const model::Model& model) {
    std::vector<std::string> all;
    for (const auto& tensor : model.tensors) all.push_back(tensor.name);
    return all;
}

std::vector<std::string> paths(const model::Model& model) {
    std::vector<std::string> all;
    for (const auto& file : model.files) all.push_back(file.path);
    return all;
}

TEST(ExternalData, DataNextToTheGraphArePartOfTheModel) {
    const Scratch scratch;
    scratch.write("w.bin", std::string(32, 'w'));
    scratch.write("a/v.bin", std::string(8, 'v'));
    scratch.write("unrelated.bin", "x");
    const auto path =
        scratch.write("m.onnx", graph_of({{"x", "./w.bin", 16}, {"y", "a/v.bin"}, {"z", "w.bin", 4, 10}}));
    const auto model = model::open_model(path).value();
    EXPECT_EQ(model.format, "onnx");
    EXPECT_THAT(paths(model), ElementsAre("", "a/v.bin", "w.bin"));
    EXPECT_THAT(names(model), ElementsAre("x", "y", "z"));
    EXPECT_EQ(model.tensors[0].segments[0].file, 2u);
    EXPECT_EQ(model.tensors[0].segments[0].offset, 16u);
    // Bytes outside all tensors are frame.
    EXPECT_THAT(test::frame_ranges(model, 2),
                ElementsAre(model::Range{0, 4}, model::Range{14, 2}, model::Range{24, 8}));
    EXPECT_THAT(test::frame_ranges(model, 1), IsEmpty());
    EXPECT_TRUE(model.unchanged().ok());
    scratch.write("w.bin", std::string(32, 'W') + "longer");
    EXPECT_FALSE(model.unchanged().ok());
}

TEST(ExternalData, InAFolderTheDataAreNotASeparateModel) {
    const Scratch scratch;
    // The data is a valid model itself, and a graph that would lead out.
    const auto inner = test::safetensors({{"inner", 64}});
    scratch.write("a.bin", inner);
    scratch.write("b.bin", graph_of({{"w", "../x"}}));
    scratch.write("sub/m.onnx", graph_of({{"x", "w.bin"}}));
    scratch.write("sub/w.bin", std::string(8, 'w'));
    scratch.write("z.onnx", graph_of({{"x", "a.bin", inner.size() - 64, 64}, {"y", "b.bin"}}));
    const auto model = model::open_model(scratch.path()).value();
    EXPECT_THAT(paths(model), ElementsAre("a.bin", "b.bin", "sub/m.onnx", "sub/w.bin", "z.onnx"));
    EXPECT_THAT(names(model), ElementsAre("x", "y", "z.onnx:x"));
    EXPECT_THAT(model.warnings, IsEmpty());
}

TEST(ExternalData, GraphsThatShareDataShareTensors) {
    const Scratch scratch;
    scratch.write("w.bin", std::string(32, 'w'));
    scratch.write("a.onnx", graph_of({{"x", "w.bin"}, {"y", "w.bin", 8}}));
    scratch.write("b.onnx", graph_of({{"x", "w.bin"}, {"other", "w.bin", 8}, {"z", "w.bin", 16}}));
    const auto model = model::open_model(scratch.path()).value();
    EXPECT_THAT(names(model), ElementsAre("x", "y", "z"));
    EXPECT_THAT(model.tensors[0].aliases, ElementsAre("b.onnx:x"));
    EXPECT_THAT(model.tensors[1].aliases, ElementsAre("other"));
    // A part of a shared tensor is not the same tensor.
    scratch.write("b.onnx", graph_of({{"x", "w.bin", 4, 4}}));
    EXPECT_THAT(model::open_model(scratch.path()).error().message, HasSubstr("overlaps tensor"));
}

TEST(ExternalData, HiddenDataThatTheGraphNamesBelongToTheModel) {
    const Scratch scratch;
    scratch.write(".weights", std::string(8, 'w'));
    scratch.write("m.onnx", graph_of({{"x", ".weights"}}));
    EXPECT_THAT(paths(model::open_model(scratch.path()).value()), ElementsAre(".weights", "m.onnx"));
}

struct Spoiled {
    const char* what;
    std::vector<External> tensors;
    std::function<void(const Scratch&)> spoil;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

const std::vector<Spoiled>& table() {
    constexpr auto kUnsupported = ErrorKind::unsupported;
    constexpr auto kUnreadable = ErrorKind::unreadable;
    static const auto nothing = [](const Scratch&) {};
    static const std::vector<Spoiled> rows = {
        {"parent folder", {{"x", "../secret"}}, nothing, "external data '../secret' leads out"},
        {"parent behind a folder", {{"x", "a/../../secret"}}, nothing, "leads out"},
        {"absolute path", {{"x", "/etc/passwd"}}, nothing, "is an absolute path"},
        {"backslashes", {{"x", "..\\secret"}}, nothing, "backslash"},
        {"drive letter", {{"x", "C:\\secret"}}, nothing, "backslash"},
        {"drive letter alone", {{"x", "C:secret"}}, nothing, "drive letter"},
        {"NUL", {{"x", std::string("w.bin\0.txt", 10)}}, nothing, "NUL"},
        {"the folder", {{"x", "."}}, nothing, "names a folder"},
        {"a folder", {{"x", "a"}}, nothing, "is a directory", kUnreadable},
        {"the graph itself", {{"x", "./m.onnx"}}, nothing, "is the file itself"},
        {"missing",
         {{"x", "none.bin"}},
         nothing,
         "none.bin: cannot open: not found (external data of 'm.onnx')",
         kUnreadable},
        {"file for a folder", {{"x", "w.bin/x"}}, nothing, "not a folder", kUnreadable},
        {"long name", {{"x", std::string(300, 'n')}}, nothing, "too long", kUnreadable},
        {"link out",
         {{"x", "link"}},
         [](const Scratch& s) { std::filesystem::create_symlink("/etc/passwd", s / "m/link"); },
         "a symbolic link",
         kUnsupported},
        {"link inside",
         {{"x", "link"}},
         [](const Scratch& s) { std::filesystem::create_symlink("w.bin", s / "m/link"); },
         "a symbolic link",
         kUnsupported},
        {"link to a folder",
         {{"x", "l/secret"}},
         [](const Scratch& s) { std::filesystem::create_directory_symlink("..", s / "m/l"); },
         "m/l: is a symbolic link",
         kUnsupported},
        {"pipe",
         {{"x", "pipe"}},
         [](const Scratch& s) { ASSERT_EQ(::mkfifo((s / "m/pipe").c_str(), 0600), 0); },
         "a regular file is needed",
         kUnreadable},
        {"too short",
         {{"x", "w.bin", 25}},
         nothing,
         "the file ends early, 1 byte is missing (tensor 'x' of 8 bytes at offset 25)"},
        {"offset behind the end",
         {{"x", "w.bin", 1ull << 62}},
         nothing,
         "tensor 'x' of 8 bytes, 4,611,686,018,427,387,880 bytes too many"},
        {"overlap", {{"x", "w.bin", 0}, {"y", "w.bin", 7}}, nothing, "tensor 'y' overlaps tensor 'x'"},
        {"overlap by another spelling", {{"x", "w.bin", 0}, {"y", ".//w.bin", 4}}, nothing, "overlaps"},
    };
    return rows;
}

void write_good(const Scratch& scratch) {
    scratch.write("secret", std::string(64, 's'));
    scratch.write("m/w.bin", std::string(32, 'w'));
    scratch.write("m/a/v.bin", std::string(32, 'v'));
}

TEST(ExternalData, RefusesReferencesThatMustNotBeFollowed) {
    for (const auto& row : table()) {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("m/m.onnx", graph_of({{"x", "w.bin"}, {"y", "a/v.bin"}}));
        ASSERT_TRUE(model::open_model(scratch / "m/m.onnx").ok());
        scratch.write("m/m.onnx", graph_of(row.tensors));
        row.spoil(scratch);
        const auto model = model::open_model(scratch / "m/m.onnx");
        ASSERT_FALSE(model.ok()) << row.what;
        EXPECT_THAT(model.error().message, HasSubstr(row.message)) << row.what;
        EXPECT_EQ(model.error().kind, row.kind) << row.what;
        EXPECT_FALSE(model::open_model(scratch / "m").ok()) << row.what;  // the folder as the target
    }
}

TEST(ExternalData, GraphsThatNameOneAnotherAreRefused) {
    const Scratch scratch;
    scratch.write("a.onnx", graph_of({{"x", "b.onnx"}}));
    scratch.write("b.onnx", graph_of({{"y", "a.onnx"}}));
    EXPECT_THAT(model::open_model(scratch.path()).error().message, HasSubstr("its own external data"));
}

}  // namespace
}  // namespace modelseal

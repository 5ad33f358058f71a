#include "model/folder.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "model/external_data.h"
#include "model/frame.h"
#include "tests/support/memory_model.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

namespace fs = std::filesystem;

using test::Scratch;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names_of_tensors(const model::Model& model) {
    std::vector<std::string> all;
    for (const auto& tensor : model.tensors) all.push_back(tensor.name);
    return all;
}

std::vector<std::string> paths_of_files(const model::Model& model) {
    std::vector<std::string> all;
    for (const auto& file : model.files) all.push_back(file.path);
    return all;
}

// Tensors and frame together must be every byte of every file.
std::uint64_t covered(const model::Model& model) {
    std::uint64_t bytes = 0;
    for (const auto& tensor : model.tensors) {
        for (const auto& segment : tensor.segments) bytes += segment.bytes;
    }
    for (std::uint32_t file = 0; file < model.files.size(); ++file) {
        for (const auto& range : test::frame_ranges(model, file)) bytes += range.bytes;
    }
    return bytes;
}

constexpr const char* kIndex = R"({"metadata": {"total_size": 12},
    "weight_map": {"a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors",
                   "c": "m-00001-of-00002.safetensors"}})";

void write_shards(const Scratch& scratch) {
    scratch.write("m-00001-of-00002.safetensors", test::safetensors({{"a", 4}, {"c", 8}}));
    scratch.write("m-00002-of-00002.safetensors", test::safetensors({{"b", 6}}));
    scratch.write("m.safetensors.index.json", kIndex);
}

TEST(Shards, IndexAsTargetCoversItselfAndItsShards) {
    const Scratch scratch;
    write_shards(scratch);
    scratch.write("config.json", "{}");
    const auto model = model::open_model(scratch / "m.safetensors.index.json").value();
    EXPECT_FALSE(model.folder);
    EXPECT_THAT(paths_of_files(model),
                ElementsAre("", "m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"));
    EXPECT_THAT(names_of_tensors(model), ElementsAre("a", "b", "c"));
    EXPECT_EQ(model.tensors[1].segments[0].file, 2u);
    EXPECT_EQ(model.format, "safetensors");
    EXPECT_THAT(model.warnings, IsEmpty());
    EXPECT_EQ(covered(model), model.bytes());
    EXPECT_TRUE(model.unchanged().ok());
}

TEST(Shards, FolderCoversEveryFile) {
    const Scratch scratch;
    write_shards(scratch);
    scratch.write("config.json", "{}");
    scratch.write("vocab/merges.txt", "a b");
    scratch.write("vocab/empty", "");
    scratch.write("model.sig", "no signature");
    scratch.write(".hidden/w.fp", "x");
    scratch.write(".git/config", "[core]");
    const auto model = model::open_model(scratch.path()).value();
    EXPECT_TRUE(model.folder);
    EXPECT_THAT(paths_of_files(model),
                ElementsAre(".hidden/w.fp", "config.json", "m-00001-of-00002.safetensors",
                            "m-00002-of-00002.safetensors", "m.safetensors.index.json", "model.sig",
                            "vocab/empty", "vocab/merges.txt"));
    ASSERT_EQ(model.left_out.size(), 1u);
    EXPECT_EQ(model.left_out[0].path, ".git");
    EXPECT_THAT(names_of_tensors(model), ElementsAre("a", "b", "c"));
    EXPECT_THAT(model.warnings, IsEmpty());
    EXPECT_EQ(covered(model), model.bytes());
}

TEST(Folder, NoticesAddedChangedAndRemovedFiles) {
    const Scratch scratch;
    write_shards(scratch);
    scratch.write("config.json", "{}");
    const auto model = model::open_model(scratch.path()).value();
    EXPECT_TRUE(model.unchanged().ok());
    scratch.write("new.json", "{}");
    EXPECT_THAT(model.unchanged().error().message, HasSubstr("new.json: was added"));
    std::filesystem::remove(scratch / "new.json");
    EXPECT_TRUE(model.unchanged().ok());
    scratch.write("acme.check",
                  test::content_of(fs::path(MODELSEAL_SOURCE_DIR) / "tests/golden/v1/acme.check"));
    EXPECT_TRUE(model.unchanged().ok());
    std::filesystem::remove(scratch / "config.json");
    EXPECT_THAT(model.unchanged().error().message, HasSubstr("removed"));
}

TEST(Folder, AddedFileDoesNotRenameOthers) {
    const Scratch scratch;
    scratch.write("b.safetensors", test::safetensors({{"x", 4}, {"y", 4}}));
    EXPECT_THAT(names_of_tensors(model::open_model(scratch.path()).value()), ElementsAre("x", "y"));
    scratch.write("sub/c.safetensors", test::safetensors({{"y", 4}, {"z", 4}}));
    const auto model = model::open_model(scratch.path()).value();
    EXPECT_THAT(names_of_tensors(model), ElementsAre("sub/c.safetensors:y", "x", "y", "z"));
    EXPECT_EQ(model.tensors[2].segments[0].file, 0u);
    EXPECT_EQ(covered(model), model.bytes());
}

// Each file names the next as its external data: a folder may hold nothing but such a chain.
TEST(Folder, LongChainOfFilesThatNameOneAnotherIsResolvedAtOnce) {
    constexpr std::size_t kFiles = 20'000;
    const auto path_of = [](std::size_t i) { return std::to_string(i); };
    std::vector<model::Part> candidates(kFiles);
    for (std::size_t i = 0; i < kFiles; ++i) {
        candidates[i].path = path_of(i);
        candidates[i].files = {path_of(i), path_of(i + 1)};
    }
    const auto settled = model::tell_models_from_data(std::move(candidates), {}).value();
    EXPECT_EQ(settled.models.size(), kFiles / 2);  // 0, 2, 4, ...: what only data name is a model
    EXPECT_EQ(settled.data.size(), kFiles / 2);
    EXPECT_TRUE(settled.data.contains("19999"));
    EXPECT_FALSE(settled.data.contains("20000"));
}

TEST(Folder, IndexesOfSubFoldersCountFromThere) {
    const Scratch scratch;
    for (const std::string part : {"unet", "vae"}) {
        scratch.write(part + "/m.safetensors", test::safetensors({{part + ".w", 4}}));
        scratch.write(part + "/m.index.json", R"({"weight_map": {")" + part + R"(.w": "m.safetensors"}})");
    }
    EXPECT_THAT(names_of_tensors(model::open_model(scratch.path()).value()), ElementsAre("unet.w", "vae.w"));
}

TEST(Folder, JsonThatIsNotAnIndexIsFrame) {
    const Scratch scratch;
    scratch.write("m.safetensors", test::safetensors({{"x", 4}}));
    scratch.write("faiss.index.json", R"({"entries": []})");
    EXPECT_THAT(names_of_tensors(model::open_model(scratch.path()).value()), ElementsAre("x"));
}

TEST(Folder, ReportsMissingParts) {
    EXPECT_THAT(model::missing_part_warnings({"g-00001-of-00002.gguf", "g-00002-of-00002.gguf", "x.gguf"}),
                IsEmpty());
    EXPECT_THAT(model::missing_part_warnings({"d/g-00003-of-00003.gguf", "d/g-00001-of-00003.gguf"}),
                ElementsAre("d/g.gguf: a model of 3 parts, only 2 found"));
    EXPECT_THAT(
        model::missing_part_warnings({"-00001-of-00002", "g-1-of-2.gguf", "g-000a1-of-00002.gguf", "-of-"}),
        ElementsAre(": a model of 2 parts, only 1 found"));
    const Scratch scratch;
    const auto file = scratch.write("m-00001-of-00002.safetensors", test::safetensors({{"x", 4}}));
    EXPECT_THAT(model::open_model(file).value().warnings,
                ElementsAre(HasSubstr("a model of 2 parts, only 1 found")));
}

TEST(Folder, HardLinksAreAWarning) {
    const Scratch scratch;
    write_shards(scratch);
    std::filesystem::create_hard_link(scratch / "m-00001-of-00002.safetensors", scratch / "n.copy");
    EXPECT_THAT(model::open_model(scratch.path()).value().warnings,
                ElementsAre(AllOf(HasSubstr("m-00001-of-00002.safetensors"), HasSubstr("hard links"))));
}

struct FolderCase {
    const char* what;
    std::function<void(const Scratch&)> spoil;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

// Writes the index with `from` replaced by `to`.
std::function<void(const Scratch&)> index_with(std::string from, std::string to) {
    return [=](const Scratch& scratch) {
        std::string text = kIndex;
        const auto at = text.find(from);
        ASSERT_NE(at, text.npos);
        scratch.write("m.safetensors.index.json", text.replace(at, from.size(), to));
    };
}

std::function<void(const Scratch&)> with_file(std::string path, std::string content) {
    return [=](const Scratch& scratch) { scratch.write(path, content); };
}

TEST(Folder, RefusesWhatIsSpoiled) {
    constexpr auto kUnsupported = ErrorKind::unsupported;
    constexpr auto kUnreadable = ErrorKind::unreadable;
    const std::string first = R"("m-00001-of-00002.safetensors")";
    const auto good = test::safetensors({{"a", 4}, {"c", 8}});
    const FolderCase table[] = {
        {"index that is no JSON", index_with("}}", "}"), "index: invalid JSON"},
        {"key that appears twice", index_with(R"("b":)", R"("a":)"), "the key 'a' appears twice"},
        {"list for a map",
         index_with(R"({"a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors",
                   "c": "m-00001-of-00002.safetensors"})",
                    "[1]"),
         "weight_map is not a map"},
        {"empty map",
         index_with(R"("a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors",
                   "c": "m-00001-of-00002.safetensors")",
                    ""),
         "weight_map is not a map"},
        {"number for a file", index_with(first, "7"), "tensor 'a': its file is not a text"},
        {"way out", index_with(first, R"("../m.safetensors")"), "shard '../m.safetensors' leads out"},
        {"way out behind a folder", index_with(first, R"("x/../../m.safetensors")"), "leads out"},
        {"absolute path", index_with(first, R"("/etc/passwd")"), "absolute path"},
        {"backslash", index_with(first, R"("..\\m.safetensors")"), "backslash"},
        {"drive letter", index_with(first, R"("C:m.safetensors")"), "drive letter"},
        {"NUL", index_with(first, R"("m\u0000")"), "NUL"},
        {"itself as a shard", index_with(first, R"("m.safetensors.index.json")"),
         ": the index lists itself as a shard"},
        {"missing shard", [](const Scratch& s) { std::filesystem::remove(s / "m-00002-of-00002.safetensors"); },
         "m-00002-of-00002.safetensors: cannot open: not found", kUnreadable},
        {"shard that is a folder",
         [](const Scratch& s) {
             std::filesystem::remove(s / "m-00002-of-00002.safetensors");
             std::filesystem::create_directory(s / "m-00002-of-00002.safetensors");
         },
         "is a directory", kUnreadable},
        {"shard that is no model", with_file("m-00002-of-00002.safetensors", "hello"), "not a model file",
         kUnsupported},
        {"cut shard", with_file("m-00001-of-00002.safetensors", good.substr(0, good.size() - 1)),
         "the file ends early"},
        {"tensor that is not there", index_with(R"("b":)", R"("d": "m-00002-of-00002.safetensors", "b":)"),
         "tensor 'd' not found in 'm-00002"},
        {"tensor in another shard", index_with(R"("c": "m-00001)", R"("c": "m-00002)"),
         "tensor 'c': the index 'm.safetensors.index.json' has it in 'm-00002"},
        {"tensor that the index does not know",
         with_file("m-00001-of-00002.safetensors", test::safetensors({{"a", 4}, {"c", 8}, {"d", 1}})),
         "tensor 'd': the index 'm.safetensors.index.json' does not list it"},
        {"tensor in both shards",
         with_file("m-00002-of-00002.safetensors", test::safetensors({{"b", 6}, {"a", 4}})),
         "tensor 'a': the index"},
        {"two indexes for a shard", with_file("n.index.json", kIndex), ": two indexes name this file, '",
         kUnsupported},
        {"link to a file inside",
         [](const Scratch& s) { std::filesystem::create_symlink("config.json", s / "link.json"); },
         "link.json: is a symbolic link", kUnsupported},
        {"shard behind a link",
         [](const Scratch& s) {
             std::filesystem::rename(s / "m-00002-of-00002.safetensors", s / ".blob");
             std::filesystem::create_symlink(".blob", s / "m-00002-of-00002.safetensors");
         },
         "a symbolic link", kUnsupported},
        {"folder behind a link",
         [](const Scratch& s) { std::filesystem::create_directory_symlink("/tmp", s / "sub"); },
         "sub: is a symbolic link", kUnsupported},
        {"pipe", [](const Scratch& s) { ASSERT_EQ(::mkfifo((s / "pipe").c_str(), 0600), 0); },
         "pipe: is a pipe, device or socket; a regular file is needed", kUnsupported},
        {"broken model beside", with_file("z.safetensors", good.substr(0, good.size() - 1)),
         "z.safetensors: the file ends early"},
        {"folders too deep",
         [](const Scratch& s) {
             std::string deep;
             for (int i = 0; i < 70; ++i) deep += "d/";
             s.write(deep + "x", "");
         },
         "levels deep", kUnsupported},
    };
    for (const auto& row : table) {
        const Scratch scratch;
        write_shards(scratch);
        scratch.write("config.json", "{}");
        ASSERT_TRUE(model::open_model(scratch.path()).ok());
        row.spoil(scratch);
        const auto model = model::open_model(scratch.path());
        ASSERT_FALSE(model.ok()) << row.what;
        EXPECT_THAT(model.error().message, HasSubstr(row.message)) << row.what;
        EXPECT_EQ(model.error().kind, row.kind) << row.what;
    }
}

TEST(Folder, WithoutAModelIsRefusedByName) {
    const Scratch scratch;
    EXPECT_THAT(model::open_model(scratch.path()).error().message,
                HasSubstr(": no model file of a supported format in this folder"));
    scratch.write("readme.txt", "hello");
    EXPECT_EQ(model::open_model(scratch.path()).error().kind, ErrorKind::unsupported);
    scratch.write("m.safetensors", test::safetensors({}));
    EXPECT_THAT(names_of_tensors(model::open_model(scratch.path()).value()), IsEmpty());
}

TEST(OpenModel, JsonThatIsNotAnIndexIsNotAModel) {
    const Scratch scratch;
    EXPECT_THAT(model::open_model(scratch.write("m.json", R"({"a": 1})")).error().message,
                HasSubstr("not a model file"));
    EXPECT_THAT(model::open_model(scratch.write("n.json", R"({"weight_map": 1})")).error().message,
                HasSubstr("weight_map is not a map"));
}

}  // namespace
}  // namespace modelseal

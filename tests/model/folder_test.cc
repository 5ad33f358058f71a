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
                ElementsAre("part 1 of 2 of 'm.safetensors'; no other is found in its folder"));
    scratch.write("m-00002-of-00002.safetensors", test::safetensors({{"y", 4}}));
    EXPECT_THAT(
        model::open_model(file).value().warnings,
        ElementsAre("part 1 of 2 of 'm.safetensors'; the others are in its folder, which is the model"));
    EXPECT_THAT(model::open_model(scratch.path()).value().warnings, IsEmpty());
}

TEST(Folder, HardLinksAreAWarning) {
    const Scratch scratch;
    write_shards(scratch);
    std::filesystem::create_hard_link(scratch / "m-00001-of-00002.safetensors", scratch / "n.copy");
    EXPECT_THAT(model::open_model(scratch.path()).value().warnings,
                ElementsAre(AllOf(HasSubstr("m-00001-of-00002.safetensors"), HasSubstr("hard links"))));
}

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

const std::string kFirst = R"("m-00001-of-00002.safetensors")";
const char* const kWholeMap = R"({"a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors",
                   "c": "m-00001-of-00002.safetensors"})";

std::string cut_shard() {
    const auto good = test::safetensors({{"a", 4}, {"c", 8}});
    return good.substr(0, good.size() - 1);
}

struct IndexCase {
    const char* what;
    std::function<void(const Scratch&)> spoil;
    const char* strict;   // error of the index as the target
    const char* warning;  // of the folder; null if it is refused as well
};

// An index as the target is read strictly; in a folder it is a file beside the shards.
const IndexCase kIndexCases[] = {
    {"index that is no JSON", index_with("}}", "}"), "index: invalid JSON",
     "is not used as an index of shards"},
    {"key that appears twice", index_with(R"("b":)", R"("a":)"), "the key 'a' appears twice",
     "the key 'a' appears"},
    {"list for a map", index_with(kWholeMap, "[1]"), "weight_map is not a map", "weight_map is not a map"},
    {"empty map", index_with(kWholeMap, "{}"), "weight_map is not a map", "is not used as an index"},
    {"number for a file", index_with(kFirst, "7"), "tensor 'a': its file is not a text",
     "its file is not a text"},
    {"way out", index_with(kFirst, R"("../m.safetensors")"), "shard '../m.safetensors' leads out", "leads out"},
    {"way out behind a folder", index_with(kFirst, R"("x/../../m.safetensors")"), "leads out", "leads out"},
    {"absolute path", index_with(kFirst, R"("/etc/passwd")"), "absolute path", "absolute path"},
    {"backslash", index_with(kFirst, R"("..\\m.safetensors")"), "backslash", "backslash"},
    {"drive letter", index_with(kFirst, R"("C:m.safetensors")"), "drive letter", "drive letter"},
    {"NUL", index_with(kFirst, R"("m\u0000")"), "NUL", "NUL"},
    {"itself as a shard", index_with(kFirst, R"("m.safetensors.index.json")"),
     ": the index lists itself as a shard",
     "names 1 file that is missing or not a model, 'm.safetensors.index.json'"},
    {"missing shard", [](const Scratch& s) { fs::remove(s / "m-00002-of-00002.safetensors"); },
     "m-00002-of-00002.safetensors: cannot open: not found",
     "m.safetensors.index.json: the index names 1 file that is missing or not a model, 'm-00002-of"},
    {"shard that is a folder",
     [](const Scratch& s) {
         fs::remove(s / "m-00002-of-00002.safetensors");
         fs::create_directory(s / "m-00002-of-00002.safetensors");
     },
     "is a directory", "names 1 file that is missing or not a model"},
    {"shard that is no model", with_file("m-00002-of-00002.safetensors", "hello"), "not a model file",
     "names 1 file that is missing or not a model"},
    {"shard that is a pointer",
     with_file("m-00002-of-00002.safetensors",
               "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
     "is a Git LFS pointer, not the file itself", "m-00002-of-00002.safetensors: is a Git LFS pointer"},
    {"cut shard", with_file("m-00001-of-00002.safetensors", cut_shard()), "the file ends early", nullptr},
    {"tensor that is not there", index_with(R"("b":)", R"("d": "m-00002-of-00002.safetensors", "b":)"),
     "tensor 'd' not found in 'm-00002", "the index names 1 tensor that is not in their files, 'd'"},
    {"tensor in another shard", index_with(R"("c": "m-00001)", R"("c": "m-00002)"),
     "tensor 'c': the index 'm.safetensors.index.json' has it in 'm-00002",
     "does not list 1 tensor of its files, 'c'"},
    {"tensor that the index does not know",
     with_file("m-00001-of-00002.safetensors", test::safetensors({{"a", 4}, {"c", 8}, {"d", 1}})),
     "tensor 'd': the index 'm.safetensors.index.json' does not list it",
     "does not list 1 tensor of its files, 'd'"},
    {"shard that the index does not know", index_with(R"("b": "m-00002-of-00002.safetensors",)", ""), nullptr,
     nullptr},
};

TEST(Folder, IsReadWhateverAnIndexInItStates) {
    for (const auto& row : kIndexCases) {
        SCOPED_TRACE(row.what);
        const Scratch scratch;
        write_shards(scratch);
        scratch.write("config.json", "{}");
        row.spoil(scratch);
        const auto index = model::open_model(scratch / "m.safetensors.index.json");
        EXPECT_EQ(index.ok(), row.strict == nullptr);
        if (row.strict != nullptr && !index.ok()) {
            EXPECT_THAT(index.error().message, HasSubstr(row.strict));
        }
        const auto model = model::open_model(scratch.path());
        if (row.strict != nullptr && row.warning == nullptr) {
            ASSERT_FALSE(model.ok());
            EXPECT_THAT(model.error().message, HasSubstr(row.strict));
            continue;
        }
        ASSERT_TRUE(model.ok()) << model.error().message;
        EXPECT_EQ(covered(*model), model->bytes());
        EXPECT_THAT(names_of_tensors(*model), testing::Contains("a"));
        if (row.warning != nullptr) {
            EXPECT_THAT(model->warnings, testing::Contains(HasSubstr(row.warning)));
        } else {
            EXPECT_THAT(model->warnings, IsEmpty());
        }
    }
}

TEST(Folder, TwoIndexesOfTheSameShardsAreOneModel) {
    const Scratch scratch;
    write_shards(scratch);
    scratch.write("n.index.json", kIndex);
    const auto model = model::open_model(scratch.path()).value();
    EXPECT_THAT(names_of_tensors(model), ElementsAre("a", "b", "c"));
    EXPECT_THAT(model.warnings, IsEmpty());
}

TEST(Folder, StrangersBesideAModelAreFrame) {
    const std::pair<const char*, std::string> strangers[] = {
        {"corpus.index.json", "{\"id\": 1, \"score\": NaN}\n{\"id\": 2}\n"},
        {"deep.index.json", "{\"a\": " + std::string(100, '[') + std::string(100, ']') + "}"},
        {"z.safetensors", cut_shard()},
        {"z.pt", "PK\x03\x04" + std::string(22, '\0') + std::string("\x10\0\0\0", 4) + "archive/data.pkl" +
                     std::string(100, 'x')},
    };
    for (const auto& [name, content] : strangers) {
        const Scratch scratch;
        write_shards(scratch);
        scratch.write(name, content);
        const auto model = model::open_model(scratch.path());
        ASSERT_TRUE(model.ok()) << name << ": " << model.error().message;
        EXPECT_THAT(model->warnings, ElementsAre(HasSubstr(name)));
        EXPECT_THAT(paths_of_files(*model), testing::Contains(name));
        EXPECT_EQ(covered(*model), model->bytes());
    }
}

struct FolderCase {
    const char* what;
    std::function<void(const Scratch&)> spoil;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

TEST(Folder, RefusesWhatIsSpoiled) {
    constexpr auto kUnsupported = ErrorKind::unsupported;
    const FolderCase table[] = {
        {"link to a file inside", [](const Scratch& s) { fs::create_symlink("config.json", s / "link.json"); },
         "link.json: is a symbolic link", kUnsupported},
        {"shard behind a link",
         [](const Scratch& s) {
             fs::rename(s / "m-00002-of-00002.safetensors", s / ".blob");
             fs::create_symlink(".blob", s / "m-00002-of-00002.safetensors");
         },
         "a symbolic link", kUnsupported},
        {"folder behind a link", [](const Scratch& s) { fs::create_directory_symlink("/tmp", s / "sub"); },
         "sub: is a symbolic link", kUnsupported},
        {"pipe", [](const Scratch& s) { ASSERT_EQ(::mkfifo((s / "pipe").c_str(), 0600), 0); },
         "pipe: is a pipe, device or socket; a regular file is needed", kUnsupported},
        {"cut part of a numbered set without an index", with_file("n-00001-of-00002.safetensors", cut_shard()),
         "n-00001-of-00002.safetensors: the file ends early"},
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

// As a clone without git-lfs has it.
TEST(Folder, OfPointersNamesThem) {
    const Scratch scratch;
    scratch.write("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n");
    scratch.write("config.json", "{}");
    const auto refused = model::open_model(scratch.path());
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message,
                HasSubstr("model.safetensors: is a Git LFS pointer, not the file itself"));
    EXPECT_THAT(refused.error().hint, HasSubstr("git lfs pull"));
    scratch.write("other.safetensors", test::safetensors({{"a", 4}}));
    EXPECT_THAT(model::open_model(scratch.path()).value().warnings,
                ElementsAre(HasSubstr("model.safetensors: is a Git LFS pointer")));
}

// A mounted ConfigMap: every file is there twice, and its name is the link.
TEST(Folder, OfAConfigMapIsReadThroughItsLinks) {
    const Scratch scratch;
    scratch.write("..2026_11_29/config.json", "{}");
    scratch.write("..2026_11_29/m.safetensors", test::safetensors({{"a", 4}}));
    fs::create_directory_symlink("..2026_11_29", scratch / "..data");
    for (const std::string name : {"config.json", "m.safetensors"})
        fs::create_symlink("..data/" + name, scratch / name);
    EXPECT_THAT(model::open_model(scratch.path()).error().message, HasSubstr("is a symbolic link"));
    const auto model = model::open_model(scratch.path(), {.links = Links::inside}).value();
    EXPECT_THAT(paths_of_files(model), ElementsAre("config.json", "m.safetensors"));
    EXPECT_THAT(names_of_tensors(model), ElementsAre("a"));
    ASSERT_EQ(model.left_out.size(), 2u);
    EXPECT_EQ(model.left_out[0].path, "..2026_11_29");
    EXPECT_EQ(model.left_out[1].what, "ConfigMap");
    EXPECT_TRUE(model.unchanged().ok());
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

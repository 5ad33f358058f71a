#include "model/output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/elements.h"
#include "tests/support/models/external_graph.h"
#include "tests/support/models/onnx_builder.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::content_of;
using test::Scratch;
using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::vector<std::string> names_in(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        names.push_back(entry.path().filename());
    return names;
}

// A graph "m/g.onnx" with "m/a/w.bin", and a model of one file "m/s.safetensors".
void write_models(const Scratch& scratch) {
    scratch.write("m/g.onnx", test::graph_of({{"x", "a/w.bin"}}));
    scratch.write("m/a/w.bin", std::string(16, 'w'));
    scratch.write("m/s.safetensors", test::safetensors({{"t", 300}}));
}

std::string message_of(const model::Model& model, const std::filesystem::path& path) {
    const auto output = model::ModelOutput::copy(model, path, 2, no_progress());
    return output.ok() ? "no error" : output.error().message;
}

TEST(ModelOutput, OfOneFileAppearsPatchedAtCommit) {
    const Scratch scratch;
    write_models(scratch);
    const auto model = model::open_model(scratch / "m/s.safetensors").value();
    scratch.write("out", "earlier");
    auto output = model::ModelOutput::copy(model, scratch / "out", 2, no_progress()).value();
    const std::byte patch[] = {std::byte{'p'}};
    ASSERT_TRUE(output.write_elements(model.tensors[0], 7, 1, patch).ok());
    EXPECT_EQ(content_of(scratch / "out"), "earlier");
    ASSERT_TRUE(output.commit().ok());
    auto expected = content_of(scratch / "m/s.safetensors");
    expected[expected.size() - 300 + 7] = 'p';
    EXPECT_EQ(content_of(scratch / "out"), expected);
    EXPECT_TRUE(model.unchanged().ok());
}

TEST(ModelOutput, PairsOfFourBitsInVarintsArePatched) {
    const Scratch scratch;
    test::Proto pairs;
    for (const unsigned pair : {0x21u, 0xF5u, 0x80u, 0x07u}) pairs.number(pair);
    scratch.write(
        "m.onnx",
        test::onnx::model(test::onnx::graph({test::onnx::tensor("w", 21, {8}).message(5, pairs)})).text());
    const auto model = model::open_model(scratch / "m.onnx").value();
    auto output = model::ModelOutput::copy(model, scratch / "out", 1, no_progress()).value();
    const std::byte patch[] = {std::byte{0xE4}, std::byte{0x91}};  // bits 0 and 4 of the second and third
    ASSERT_TRUE(output.write_elements(model.tensors[0], 2, 4, patch).ok());
    ASSERT_TRUE(output.commit().ok());
    const auto patched = model::open_model(scratch / "out").value();
    std::vector<std::byte> read(4);
    ASSERT_TRUE(model::read_elements(patched, patched.tensors[0], 0, 8, read).ok());
    EXPECT_THAT(read, testing::ElementsAre(std::byte{0x21}, std::byte{0xE4}, std::byte{0x91}, std::byte{0x07}));
}

// onnx 1.16: a pair is a signed byte, and takes ten bytes if it is negative.
TEST(ModelOutput, SignedSpellingsOfPairsKeepTheirLength) {
    const Scratch scratch;
    test::Proto pairs;
    for (const std::uint64_t pair : {~std::uint64_t{53}, std::uint64_t{0x21}, ~std::uint64_t{0}})
        pairs.number(pair);
    scratch.write(
        "m.onnx",
        test::onnx::model(test::onnx::graph({test::onnx::tensor("w", 22, {6}).message(5, pairs)})).text());
    const auto model = model::open_model(scratch / "m.onnx").value();
    auto output = model::ModelOutput::copy(model, scratch / "out", 1, no_progress()).value();
    const std::byte patch[] = {std::byte{0xDB}, std::byte{0x20}, std::byte{0xEE}};  // bits 0 and 4 of each
    ASSERT_TRUE(output.write_elements(model.tensors[0], 0, 6, patch).ok());
    ASSERT_TRUE(output.commit().ok());
    const auto patched = model::open_model(scratch / "out").value();
    EXPECT_EQ(patched.files[0].source->size(), model.files[0].source->size());
    std::vector<std::byte> read(3);
    ASSERT_TRUE(model::read_elements(patched, patched.tensors[0], 0, 6, read).ok());
    EXPECT_THAT(read, testing::ElementsAre(std::byte{0xDB}, std::byte{0x20}, std::byte{0xEE}));
}

TEST(ModelOutput, OfAFolderIsWritableByItsOwnerWhateverTheOriginalWas) {
    const Scratch scratch;
    write_models(scratch);
    ASSERT_EQ(::chmod((scratch / "m").c_str(), 0555), 0);
    const auto model = model::open_model(scratch / "m").value();
    const auto before = ::umask(027);
    auto output = model::ModelOutput::copy(model, scratch / "out", 1, no_progress()).value();
    const auto done = output.commit();
    ::umask(before);
    ASSERT_TRUE(done.ok()) << done.error().message;
    struct stat status {};
    ASSERT_EQ(::stat((scratch / "out").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0750u);
    ASSERT_EQ(::chmod((scratch / "m").c_str(), 0755), 0);
}

TEST(ModelOutput, OfAFolderIsRenamedAtOnce) {
    const Scratch scratch;
    write_models(scratch);
    ASSERT_EQ(::chmod((scratch / "m").c_str(), 0750), 0);
    const auto model = model::open_model(scratch / "m/").value();
    auto output = model::ModelOutput::copy(model, scratch / "out/", 2, no_progress()).value();
    EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
    ASSERT_TRUE(output.commit().ok());
    EXPECT_THAT(names_in(scratch.path()), UnorderedElementsAre("m", "out"));
    EXPECT_THAT(names_in(scratch / "out"), UnorderedElementsAre("a", "g.onnx", "s.safetensors"));
    EXPECT_EQ(content_of(scratch / "out/a/w.bin"), std::string(16, 'w'));
    struct stat status {};
    ASSERT_EQ(::stat((scratch / "out").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0750u);
}

TEST(ModelOutput, OfAFolderHasNoNameBeforeTheCommitWhereTheFileSystemCan) {
    const Scratch scratch;
    const int probe = ::open(scratch.path().c_str(), O_TMPFILE | O_RDWR, 0600);
    if (probe < 0) GTEST_SKIP() << "this file system has no O_TMPFILE";
    ::close(probe);
    write_models(scratch);
    const auto model = model::open_model(scratch / "m/").value();
    const auto output = model::ModelOutput::copy(model, scratch / "out", 2, no_progress()).value();
    EXPECT_THAT(names_in(scratch.path()), UnorderedElementsAre("m"));
}

TEST(ModelOutput, OfAFolderReplacesNoneThatCameUpMeanwhile) {
    const Scratch scratch;
    write_models(scratch);
    const auto model = model::open_model(scratch / "m/").value();
    auto output = model::ModelOutput::copy(model, scratch / "out", 2, no_progress()).value();
    std::filesystem::create_directory(scratch / "out");
    const auto committed = output.commit();
    ASSERT_FALSE(committed.ok());
    EXPECT_THAT(committed.error().message, HasSubstr("out: cannot create"));
    EXPECT_THAT(names_in(scratch / "out"), UnorderedElementsAre());
    EXPECT_THAT(names_in(scratch.path()), UnorderedElementsAre("m", "out"));
}

TEST(ModelOutput, OfAGraphPutsItsDataNextToIt) {
    const Scratch scratch;
    write_models(scratch);
    const auto model = model::open_model(scratch / "m/g.onnx").value();
    std::filesystem::create_directory(scratch / "out");
    { auto dropped = model::ModelOutput::copy(model, scratch / "out/g.onnx", 2, no_progress()).value(); }
    EXPECT_THAT(names_in(scratch / "out"), UnorderedElementsAre());  // nor the folder of the data
    auto output = model::ModelOutput::copy(model, scratch / "out/sealed.onnx", 2, no_progress()).value();
    ASSERT_TRUE(output.commit().ok());
    EXPECT_THAT(names_in(scratch / "out"), UnorderedElementsAre("a", "sealed.onnx"));
    EXPECT_TRUE(model::open_model(scratch / "out/sealed.onnx").ok());
}

TEST(ModelOutput, LeavesNothingIfItsLastFileFails) {
    const Scratch scratch;
    write_models(scratch);
    const auto model = model::open_model(scratch / "m/g.onnx").value();
    std::filesystem::create_directory(scratch / "out");
    auto output = std::make_unique<model::ModelOutput>(
        model::ModelOutput::copy(model, scratch / "out/g.onnx", 2, no_progress()).value());
    std::filesystem::create_directories(scratch / "out/g.onnx/in the way");
    const auto committed = output->commit();
    ASSERT_FALSE(committed.ok());
    EXPECT_THAT(committed.error().message, HasSubstr("out/g.onnx: cannot create"));
    output.reset();
    EXPECT_THAT(names_in(scratch / "out"), UnorderedElementsAre("g.onnx"));
    EXPECT_TRUE(model.unchanged().ok());
}

TEST(ModelOutput, NeverOverwritesTheOriginalOrFilesNextToIt) {
    const Scratch scratch;
    write_models(scratch);
    std::filesystem::create_hard_link(scratch / "m/s.safetensors", scratch / "hard");
    const auto file = model::open_model(scratch / "m/s.safetensors").value();
    const auto graph = model::open_model(scratch / "m/g.onnx").value();
    const auto folder = model::open_model(scratch / "m").value();
    std::filesystem::create_symlink("m/s.safetensors", scratch / "link");
    std::filesystem::create_directory(scratch / "full");

    EXPECT_THAT(message_of(file, scratch / "m/s.safetensors"), HasSubstr("output and input are the same"));
    EXPECT_THAT(message_of(file, scratch / "m/a/../s.safetensors"), HasSubstr("output and input are the same"));
    EXPECT_THAT(message_of(file, scratch / "link"), HasSubstr("output and input are the same"));
    EXPECT_THAT(message_of(file, scratch / "hard"), HasSubstr("output and input are the same"));
    EXPECT_THAT(message_of(file, scratch / "full"), HasSubstr("is a directory"));
    EXPECT_THAT(message_of(file, scratch / "none/out"), HasSubstr("there is no folder"));
    EXPECT_THAT(message_of(graph, scratch / "m/a/w.bin"), HasSubstr("output and input are the same"));
    EXPECT_THAT(message_of(graph, scratch / "m/sealed.onnx"),
                AllOf(HasSubstr("m/a/w.bin: already exists, and the output needs this file for external data"),
                      HasSubstr(": already exists, and the output needs this file for external data")));
    EXPECT_THAT(message_of(folder, scratch / "m"), HasSubstr("already exists"));
    EXPECT_THAT(message_of(folder, scratch / "full"), HasSubstr("already exists"));
    EXPECT_THAT(message_of(folder, scratch / "m/sealed"),
                HasSubstr(": the output is inside the folder to seal"));
    EXPECT_THAT(message_of(folder, scratch / "full/../m/a/sealed"),
                HasSubstr(": the output is inside the folder to seal"));
    EXPECT_THAT(message_of(folder, scratch / "none/out"), HasSubstr("there is no folder"));
    EXPECT_TRUE(folder.unchanged().ok());
    EXPECT_THAT(names_in(scratch.path()), UnorderedElementsAre("m", "link", "hard", "full"));
}

}  // namespace
}  // namespace modelseal

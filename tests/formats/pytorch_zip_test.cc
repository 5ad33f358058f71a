// The container: entries, checksums, pickles beside data.pkl, warnings, limits. What tensors are called and how
// they share storages is in pytorch_storages_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "formats/registry.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/models/torch_zip.h"

namespace modelseal::formats {
namespace {

using namespace test::pkl;
using test::Bytes;
using test::bytes_of;
using test::good_torch_zip;
using test::parsed_torch;
using test::ZipFile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(PytorchZip, TensorsAreTheStoredEntries) {
    const auto file = good_torch_zip();
    const auto built = file.zip().build();
    const auto layout = parsed_torch(built.bytes).value();
    EXPECT_EQ(layout.format, "pytorch");
    ASSERT_THAT(layout.tensors, SizeIs(2));
    const auto& w = layout.tensors[0];
    EXPECT_EQ(w.name, "w");
    EXPECT_EQ(w.dtype, DType::f32);
    EXPECT_THAT(w.shape, ElementsAre(2, 3));
    EXPECT_EQ(w.elements, 6u);
    EXPECT_EQ(w.segments[0].offset, built.data[1]);
    EXPECT_EQ(w.segments[0].bytes, 24u);
    EXPECT_THAT(w.aliases, IsEmpty());
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(PytorchZip, ChecksumsCoverTheStoragesAndNameTheirFields) {
    const auto built = good_torch_zip().zip().build();
    const auto layout = parsed_torch(built.bytes).value();
    ASSERT_THAT(layout.checksums, SizeIs(2));
    EXPECT_EQ(layout.checksums[0].offset, built.data[1]);
    EXPECT_EQ(layout.checksums[0].bytes, 24u);
    EXPECT_THAT(layout.checksums[0].fields, ElementsAre(built.descriptor[1] + 4, built.central[1] + 16));
}

TEST(PytorchZip, AChecksumWithoutADescriptorStandsInTheLocalHeader) {
    auto zip = good_torch_zip().zip();
    zip.items[1].descriptor = false;
    const auto built = zip.build();
    EXPECT_THAT(parsed_torch(built.bytes).value().checksums[0].fields,
                ElementsAre(built.local[1] + 14, built.central[1] + 16));
}

TEST(PytorchZip, StoragesThatNoPickleNamesAreFrame) {
    auto file = good_torch_zip();
    file.storages.emplace_back("2", Bytes(64));
    EXPECT_THAT(parsed_torch(file.build()).value().tensors, SizeIs(2));
}

TEST(PytorchZip, ADeflatedPickleIsUnpacked) {
    auto zip = good_torch_zip().zip();
    zip.items[0].deflate = true;
    EXPECT_THAT(parsed_torch(zip.build().bytes).value().tensors, SizeIs(2));
}

TEST(PytorchZip, APickleWithAWrongChecksumIsAWarning) {
    auto built = good_torch_zip().zip().build();
    built.set32(built.descriptor[0] + 4, 1);
    built.set32(built.central[0] + 16, 1);
    EXPECT_THAT(parsed_torch(built.bytes).value().warnings,
                ElementsAre(HasSubstr("does not match its CRC-32")));
}

TEST(PytorchZip, ConstantsAndBytecodeAreReadWithTheirOwnFolders) {
    auto file = good_torch_zip();
    file.others.push_back({.name = "constants.pkl", .data = bytes_of(pickle(tuple({floats("0", {2})})))});
    file.others.push_back(
        {.name = "bytecode.pkl", .data = bytes_of(pickle(tuple({floats("0", {2}), floats("9", {3})})))});
    file.others.push_back({.name = "constants/0", .data = Bytes(8)});
    file.others.push_back({.name = "constants/9", .data = Bytes(12)});
    const auto layout = parsed_torch(file.build()).value();
    ASSERT_THAT(layout.tensors, SizeIs(4));
    EXPECT_EQ(layout.tensors[2].name, "constants.0");
    EXPECT_THAT(layout.tensors[2].aliases, ElementsAre("bytecode.0"));
    EXPECT_EQ(layout.tensors[3].name, "bytecode.1");
}

TEST(PytorchZip, BytecodeOfOldFilesHasAFolderOfItsOwn) {
    auto file = good_torch_zip();
    file.others.push_back({.name = "bytecode.pkl", .data = bytes_of(pickle(tuple({floats("0", {2})})))});
    file.others.push_back({.name = "bytecode/0", .data = Bytes(8)});
    EXPECT_EQ(parsed_torch(file.build()).value().tensors[2].name, "bytecode.0");
}

TEST(PytorchZip, CodeMayDifferInCaseAlone) {
    auto file = good_torch_zip();
    file.others.push_back({.name = "code/__torch__/Net.py", .data = bytes_of("1"), .deflate = true});
    file.others.push_back({.name = "code/__torch__/net.py", .data = bytes_of("1")});
    EXPECT_TRUE(parsed_torch(file.build()).ok());
}

// Calls are reported, never made, and do not prevent reading the tensors.
TEST(PytorchZip, WhateverAPickleWouldCallIsAWarning) {
    auto file = good_torch_zip();
    file.object =
        pickle(dict({{str("w"), floats("0", {2, 3})},
                     {str("evil"), call(name("os", "system"), {str("touch /tmp/modelseal-was-here")})},
                     {str("class"), name("torch.optim.sgd", "SGD")},
                     {str("code"), call(call(name("builtins", "getattr"), {}), {})},
                     {str("escape"), name("a\x1b[2J", "b")}}));
    const auto layout = parsed_torch(file.build()).value();
    EXPECT_THAT(layout.warnings, ElementsAre("pickle data.pkl calls os.system (never executed here)",
                                             "pickle data.pkl names torch.optim.sgd.SGD (never executed here)",
                                             "pickle data.pkl calls builtins.getattr (never executed here)",
                                             "pickle data.pkl names a\\x1b[2J.b (never executed here)"));
    EXPECT_EQ(layout.tensors[0].name, "w");
}

TEST(PytorchZip, ManyWarningsAreCounted) {
    std::vector<Fragment> names;
    for (int i = 0; i < 1000; ++i) names.push_back(name("os", "f" + std::to_string(i)));
    auto file = good_torch_zip();
    file.object = pickle(list(names));
    const auto warnings = parsed_torch(file.build()).value().warnings;
    ASSERT_THAT(warnings, SizeIs(65));
    EXPECT_EQ(warnings.back(), "pickle data.pkl contains 936 more");
}

// PyTorch reads data.pkl and what it names; a pickle beside it is read by whoever looks for it.
TEST(PytorchZip, MembersThatPytorchDoesNotReadAreAWarning) {
    auto file = good_torch_zip();
    for (const char* known : {"byteorder", ".data/serialization_id", "code/__torch__/x.py", "extra/labels",
                              ".format_version", ".storage_alignment", "constants/0"})
        file.others.push_back(
            {.name = known, .data = bytes_of(known == std::string("byteorder") ? "little" : "1")});
    EXPECT_THAT(parsed_torch(file.build()).value().warnings, IsEmpty());
    file.others.push_back({.name = "evil.pkl", .data = bytes_of("x")});
    EXPECT_THAT(parsed_torch(file.build()).value().warnings,
                ElementsAre("entry 'm/evil.pkl' is a member of the archive that PyTorch does not read"));
    auto zip = file.zip();
    zip.items.push_back({.name = "other/data.pickle", .data = bytes_of("x")});
    EXPECT_THAT(
        parsed_torch(zip.build().bytes).value().warnings,
        ElementsAre(
            "entry 'm/evil.pkl' and 1 more entry of the archive are members that PyTorch does not read"));
}

// torch.distributed.checkpoint writes an archive for each tensor, one after the other.
TEST(PytorchZip, SeveralArchivesInOneFileAreADistributedCheckpoint) {
    for (const bool zip64 : {true, false}) {
        auto zip = good_torch_zip().zip();
        zip.zip64 = zip64;
        const auto one = zip.build().bytes;
        auto both = one;
        both.insert(both.end(), one.begin(), one.end());
        const auto refused = parsed_torch(both);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
        EXPECT_THAT(refused.error().message, HasSubstr("is part of a distributed checkpoint (DCP)"));
        EXPECT_TRUE(parsed_torch(one).ok());
    }
}

TEST(ZipArchives, OfOtherToolsAreNamed) {
    const auto said = [](const std::vector<const char*>& names) {
        ZipFile zip;
        for (const auto* name : names) zip.items.push_back({.name = name, .data = bytes_of("x")});
        const auto bytes = zip.build().bytes;
        const auto refused = parse_model_file(MemorySource("f", bytes));
        EXPECT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
        return refused.error().message;
    };
    EXPECT_EQ(said({"m/archive_format", "m/data/weights/w"}),
              "f: is a PT2 archive of torch.export, which is not supported");
    EXPECT_EQ(said({"a.npy", "b.npy"}), "f: is an archive of NumPy arrays, which is not supported");
    EXPECT_EQ(said({"config.json", "model.weights.h5"}), "f: is a Keras archive, which is not supported");
    EXPECT_EQ(said({"x/readme", "x/net.onnx"}), "f: is a zip archive with 'x/net.onnx' in it");
    EXPECT_EQ(said({"word.txt"}), "f: a zip archive, but not of PyTorch: it has no data.pkl");
}

TEST(PytorchZip, TwoModelsInOneArchiveAreRefused) {
    auto zip = good_torch_zip().zip();
    zip.items.push_back({.name = "n/data.pkl", .data = zip.items[0].data});
    EXPECT_THAT(parsed_torch(zip.build().bytes).error().message, HasSubstr(", so the model is ambiguous"));
}

TEST(PytorchZip, PackedAndEncryptedStoragesAreUnsupported) {
    auto zip = good_torch_zip().zip();
    zip.items[1].deflate = true;
    const auto packed = parsed_torch(zip.build().bytes);
    EXPECT_EQ(packed.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(packed.error().message, HasSubstr("tensor 'w': entry 'm/data/0' is compressed"));

    auto built = good_torch_zip().zip().build();
    built.set16(built.local[1] + 6, 0x0809);
    built.set16(built.central[1] + 8, 0x0809);
    EXPECT_THAT(parsed_torch(built.bytes).error().message,
                HasSubstr("tensor 'w': entry 'm/data/0' is encrypted"));
}

TEST(PytorchZip, LimitsHold) {
    const auto bytes = good_torch_zip().build();
    EXPECT_THAT(parsed_torch(bytes, {.tensors = 1}).error().message, HasSubstr("more than 1 storage"));
    EXPECT_THAT(parsed_torch(bytes, {.metadata_bytes = 1000}).error().message,
                HasSubstr("more than 1,000 bytes"));
    EXPECT_THAT(parsed_torch(bytes, {.rank = 1}).error().message,
                HasSubstr("its rank of 2 exceeds the limit of 1"));
    EXPECT_TRUE(
        parsed_torch(bytes, {.metadata_bytes = 0, .tensors = 0, .rank = 0, .depth = 0, .name_bytes = 0}).ok());
}

TEST(PytorchZip, EveryTruncationIsRefused) {
    const auto whole = good_torch_zip().build();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto layout =
            parsed_torch(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        ASSERT_FALSE(layout.ok()) << size;
    }
}

TEST(PytorchZip, IsRecognizedByItsPickleEvenIfItWasCut) {
    const auto recognised = [](const Bytes& bytes) {
        return pytorch::kZipFormat.recognises(MemorySource("m", bytes));
    };
    const auto whole = good_torch_zip().build();
    EXPECT_TRUE(recognised(whole));
    EXPECT_TRUE(recognised(Bytes(whole.begin(), whole.begin() + 300)));

    ZipFile other;
    other.items.push_back({.name = "a/word.txt", .data = bytes_of("data.pkl")});
    EXPECT_FALSE(recognised(other.build().bytes));
    EXPECT_FALSE(recognised(bytes_of("PK\3\4")));
    EXPECT_FALSE(recognised({}));
}

// Reads nothing of the storages.
class Watched final : public Source {
  public:
    Watched(const Bytes& bytes, std::uint64_t begin, std::uint64_t end)
        : memory_("w.pt", bytes), begin_(begin), end_(end) {}
    const std::string& name() const override { return memory_.name(); }
    std::uint64_t size() const override { return memory_.size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        const auto end = offset + out.size();
        if (offset < end_ && end > begin_) touched += std::min(end, end_) - std::max(offset, begin_);
        return memory_.read(offset, out);
    }
    mutable std::uint64_t touched = 0;

  private:
    MemorySource memory_;
    std::uint64_t begin_, end_;
};

TEST(PytorchZip, StoragesAreNotReadWhileParsing) {
    auto file = good_torch_zip();
    file.object = pickle(floats("0", {1 << 18}));
    file.storages = {{"0", Bytes(1u << 20)}};
    file.others.push_back(
        {.name = "padding", .data = Bytes(1u << 17)});  // the end record is searched for from behind
    const auto built = file.zip().build();
    const Watched source(built.bytes, built.data[1], built.data[1] + (1u << 20));
    ASSERT_TRUE(pytorch::kZipFormat.parse(source, {}).ok());
    EXPECT_EQ(source.touched, 0u);
}

TEST(PytorchRealFiles, AreReadAsPytorchReadsThem) {
    MODELSEAL_NEED_DATA();
    const auto read = [](const char* name) {
        return parsed_torch(test::load(test::data_folder() / "models" / name)).value();
    };
    const auto checkpoint = read("checkpoint/ai85-mnist-qat8-q.pth.tar");
    ASSERT_THAT(checkpoint.tensors, SizeIs(37));
    EXPECT_EQ(checkpoint.tensors[0].name, "state_dict.conv4.op.weight");
    EXPECT_THAT(checkpoint.tensors[0].shape, ElementsAre(12, 56, 3, 3));
    EXPECT_THAT(checkpoint.warnings, ElementsAre(HasSubstr("names torch.optim.sgd.SGD")));

    const auto script = read("torchscript/silero_vad.jit");
    ASSERT_THAT(script.tensors, SizeIs(33));
    EXPECT_EQ(script.tensors[2].name, "_model.stft.forward_basis_buffer");
    EXPECT_THAT(script.tensors[2].shape, ElementsAre(258, 1, 256));
    EXPECT_EQ(script.tensors[32].name, "constants.0");
    EXPECT_THAT(script.warnings, IsEmpty());

    const auto quantised = read("torchscript/mobilenet_v2_quantized_imagenet_a.pt");
    ASSERT_THAT(quantised.tensors, SizeIs(158));
    EXPECT_EQ(quantised.tensors[0].dtype, DType::qint8);
    EXPECT_EQ(quantised.tensors[0].name, "classifier.1._packed_params._packed_params.0");

    EXPECT_THAT(read("torchscript/asl.ptl").tensors, SizeIs(12));
    EXPECT_THAT(read("torchscript/vit4mnist_android.ptl").tensors, SizeIs(106));
    EXPECT_THAT(read("checkpoint/burn-mnist.pt").tensors, SizeIs(20));
}

TEST(PytorchHostileFiles, AreReportedWithWhatTheyWouldCall) {
    MODELSEAL_NEED_DATA();
    const auto layout =
        parsed_torch(test::load(test::data_folder() / "hostile/modelscan/unsafe_zip_pytorch.pt"));
    ASSERT_TRUE(layout.ok()) << layout.error().message;
    EXPECT_THAT(layout->warnings, ElementsAre(HasSubstr("calls posix.system")));
}

}  // namespace
}  // namespace modelseal::formats

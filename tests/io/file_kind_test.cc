// What a file is that was given in the place of another, in the words of every command.
#include "io/file_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file.h"
#include "tests/support/models/safetensors.h"
#include "tests/support/scratch.h"

namespace modelseal::io {
namespace {

using namespace std::string_literals;
using test::Scratch;
using testing::HasSubstr;

struct KindRow {
    std::string name;
    std::string content;
    const char* is;
    const char* hint = "";
};

std::string tar() {
    std::string file(512, '\0');
    return file.replace(257, 5, "ustar");
}

std::vector<KindRow> kinds() {
    const std::string pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    return {
        {"empty", "", "the file is empty", "download or copy the file again"},
        {"public", pem, "is a public key"},
        {"public_windows", "\xEF\xBB\xBF-----BEGIN PUBLIC KEY-----\r\nAAAA\r\n-----END PUBLIC KEY-----\r\n",
         "is a public key"},
        {"private", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", "is a private key"},
        {"check", "-----BEGIN MODELSEAL CHECK KEY-----\nAAAA\n", "is a check key"},
        {"certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n", "is a certificate"},
        {"receipt", "MSRECPT1xxxx", "is a receipt"},
        {"fingerprint", "MSFPRNT1xxxx", "is a fingerprint"},
        {"registry", "MSREGIS1xxxx", "is a registry of identities"},
        {"ledger", std::string("SQLite format 3\0", 16) + std::string(52, 'x') + "MSLG", "is a ledger"},
        {"signature", R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"})", "is a signature"},
        {"root", R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"})",
         "is a trusted root"},
        {"png", "\x89PNG\r\n\x1A\nxxxx", "is an image"},
        {"jpeg", "\xFF\xD8\xFF\xE0", "is an image"},
        {"html", " \n<!DOCTYPE HTML><html><head>", "is an HTML page",
         "download the file again, and check the address"},
        {"html_bare", "<html lang=\"en\">", "is an HTML page",
         "download the file again, and check the address"},
        {"gzip", "\x1F\x8B\x08\x00\x00\x00\x00\x00", "is compressed with gzip",
         "unpack it, and give the file in it"},
        {"zstd", "\x28\xB5\x2F\xFDxxxx", "is compressed with zstd", "unpack it, and give the file in it"},
        {"tar", tar(), "is a tar archive", "unpack it, and give the file in it"},
        {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
         "is a Git LFS pointer, not the file itself", "fetch the file with 'git lfs pull'"},
        {"utf16", std::string("\xFF\xFEv\0a\0", 6), "is a text in UTF-16", "save it in UTF-8"},
        {"gguf", std::string("GGUF\3\0\0\0", 8), "is a model file (GGUF)"},
        {"safetensors", test::safetensors({{"w", 8}}), "is a model file (safetensors)"},
        {"onnx", std::string("\x08\x08\x12\x04test\x3A\x00", 10), "is a model file (ONNX)"},
        {"zip", "PK\x03\x04xxxx", "is a zip archive, as PyTorch writes models"},
    };
}

TEST(FileKind, IsRecognizedByTheFirstBytes) {
    const Scratch scratch;
    for (const auto& row : kinds()) {
        const auto source = FileSource::open(scratch.write(row.name, row.content), row.name).value();
        const auto kind = kind_of(*source);
        ASSERT_TRUE(kind.has_value()) << row.name;
        EXPECT_EQ(kind->is, row.is) << row.name;
        EXPECT_EQ(kind->hint, row.hint) << row.name;
    }
    for (const auto& text : {std::string("hello"), std::string("{\"a\": 1}"), std::string(1000, '\xFE')})
        EXPECT_EQ(kind_of(text, text.size()), std::nullopt) << text;
}

// A length of 35,615 bytes begins like gzip.
TEST(FileKind, OfSafetensorsIsNotThatOfItsLength) {
    const std::string file =
        "\x1F\x8B"s + std::string(6, '\0') + "{\"__metadata__\":{}}" + std::string(40'000, ' ');
    EXPECT_EQ(kind_of(file, file.size())->is, "is a model file (safetensors)");
}

TEST(FileKind, IsNamedWhereAnotherWasNeeded) {
    const auto said = [](std::string_view wanted, std::string_view content) {
        return mistaken(wanted, "f", content, content.size()).message;
    };
    EXPECT_EQ(said("receipt", "-----BEGIN PUBLIC KEY-----\n"), "f: is a public key; a receipt is needed");
    EXPECT_EQ(said("receipt", "MSRECPT"), "f: the receipt ends early");
    EXPECT_EQ(said("receipt", "hello"), "f: not a receipt");
    EXPECT_EQ(said("signature", ""), "f: the file is empty; a signature is needed");
    EXPECT_EQ(said("identity image", "<html>"), "f: is an HTML page; an identity image is needed");
}

TEST(FileKind, OfALargeFileIsNamedInPlaceOfTheLimit) {
    const Scratch scratch;
    const auto model = scratch.write("m", test::safetensors({{"w", 100'000}}));
    EXPECT_THAT(read_text(model, 1000, "key").error().message,
                HasSubstr("m: is a model file (safetensors); a key is needed"));
    const auto text = scratch.write("t", std::string(100'000, 'x'));
    EXPECT_THAT(read_text(text, 1000, "key").error().message,
                HasSubstr("larger than the limit of 1,000 bytes"));
}

}  // namespace
}  // namespace modelseal::io

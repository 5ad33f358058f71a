// A single file may be signed or verified only if it is known to be a complete model.
#include <gmock/gmock.h>

#include "tests/oms/signing.h"
#include "tests/support/models/external_graph.h"
#include "tests/support/models/gguf_builder.h"
#include "tests/support/models/safetensors.h"

namespace modelseal {
namespace {

using test::Proto;
using testing::HasSubstr;
namespace onnx = test::onnx;

// Below the nesting that protobuf allows (100 messages) and above ours (64): an attribute with a graph in it
// takes three.
std::string deep_graph_with_external_data() {
    auto graph = onnx::graph({onnx::external("w", {})});
    for (int i = 0; i < 24; ++i) {
        graph = Proto()
                    .message(1, onnx::node("if", "If", {onnx::attribute("then_branch", 6, graph)}))
                    .bytes(2, "g");
    }
    return onnx::model(graph).text();
}

struct Part {
    const char* file;
    std::string bytes;
    const char* why;
    const char* hint = "sign the folder, and verify the folder";
};

std::vector<Part> parts() {
    const auto gguf = test::good_gguf().build();
    const std::string_view gguf_text(reinterpret_cast<const char*>(gguf.data()), gguf.size());
    auto cut = test::safetensors({{"w", 64}});
    cut.resize(cut.size() - 8);
    return {
        {"model.safetensors.index.json", R"( {"weight_map": {"w": "a.safetensors"}})", "an index"},
        {"renamed", R"({"weight_map": {"w": "a.safetensors"}})", "an index"},
        {"broken.index.json", R"({"weight_map": {"w": "a", "w": "b"}})", "; other files may belong to it"},
        {"escaping.index.json", R"({"weight_map": {"w": "../a"}})", "; other files may belong to it"},
        {"net-00001-of-00002.safetensors", test::safetensors({{"w", 64}}), "a model of 2 parts"},
        {"net-00002-of-00003.gguf", std::string(gguf_text), "a model of 3 parts"},
        {"net.onnx", test::graph_of({{"w", "w.bin"}}), "its tensors are in other files ('w.bin')"},
        {"deep.onnx", deep_graph_with_external_data(), "; other files may belong to it"},
        {"cut.safetensors", cut, "the file ends early, 8 bytes are missing", "download or copy the file again"},
    };
}

class SignatureOfOneFile : public test::Signing {};

TEST_F(SignatureOfOneFile, ThatIsOnlyPartOfAModelIsRefused) {
    for (const auto& part : parts()) {
        SCOPED_TRACE(part.file);
        std::filesystem::remove(sign.signature);
        use_model(scratch.write(std::string("alone/") + part.file, part.bytes));
        EXPECT_THAT(refused(), HasSubstr(part.why));
        EXPECT_EQ(sign_model(model, sign).error().hint, part.hint);
    }
}

// Another tool may have signed it, and the file is as it was signed: that is not enough.
TEST_F(SignatureOfOneFile, ThatIsOnlyPartOfAModelDoesNotVerify) {
    for (const auto& part : parts()) {
        SCOPED_TRACE(part.file);
        const auto folder = scratch / (std::string("folder of ") + part.file);
        const auto file = scratch.write(folder / part.file, part.bytes);
        use_model(folder);
        must_sign();
        EXPECT_EQ(must_verify().outcome, SignatureFinding::Outcome::valid);
        const auto alone = verify_model(file, verify);
        ASSERT_FALSE(alone.ok());
        EXPECT_NE(alone.error().kind, ErrorKind::mismatch);
        EXPECT_THAT(alone.error().message, HasSubstr(part.why));
    }
}

TEST_F(SignatureOfOneFile, ThatIsCompleteOrNotAModelIsMade) {
    const auto gguf = test::good_gguf().build();
    for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::string>>{
             {"net.safetensors", test::safetensors({{"w", 64}})},
             {"net-00001-of-00001.safetensors", test::safetensors({{"w", 64}})},
             {"net.gguf", {reinterpret_cast<const char*>(gguf.data()), gguf.size()}},
             {"net.onnx", onnx::model_of(onnx::small("w")).text()},
             {"notes.txt", "no model at all"},
             {"config.json", R"({"layers": 3})"},
             {"data-00001-of-00009.csv", "1,2,3"}}) {
        SCOPED_TRACE(name);
        use_model(scratch.write("alone/" + name, bytes));
        must_sign();
        EXPECT_EQ(must_verify().outcome, SignatureFinding::Outcome::valid);
    }
}

}  // namespace
}  // namespace modelseal

// What LibTorch's messages become. They are those of LibTorch 1.13, shortened.
#include "torch/errors.h"

#include <gmock/gmock.h>

namespace modelseal::libtorch {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(TorchErrors, NameTheOperatorThatIsMissing) {
    const struct {
        const char* message;
        const char* stated;
    } rows[] = {
        {"\nUnknown builtin op: torchvision::nms.\nCould not find any similar ops to torchvision::nms. This op "
         "may "
         "not exist or may not be currently supported in TorchScript.\n:\n  File \"code/__torch__.py\", line "
         "3\n    "
         "_0 = ops.torchvision.nms(x, x, 0.5)\n         ~~~~~~~~~~~~~~~~~~~ <--- HERE\n",
         "net.pt: the operator torchvision::nms does not exist in LibTorch "},
        {"The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript, serialized "
         "code "
         "(most recent call last):\n  File \"code/__torch__.py\", line 3, in forward\n    _0 = "
         "ops.quantized.add(x, x, "
         "1., 0)\n         ~~~~~~~~~~~~~~~~~ <--- HERE\nRuntimeError: Could not run 'quantized::add' with "
         "arguments "
         "from the 'CPU' backend. This could be because the operator doesn't exist for this backend, or was "
         "omitted",
         "net.pt: the operator quantized::add does not exist for tensors of the kind CPU in LibTorch "},
        {"Didn't find engine for operation quantized::conv_prepack NoQEngine",
         "net.pt: the operator quantized::conv_prepack does not exist for this processor in LibTorch "},
        {"\nArguments for call are not valid.\nThe following variants are available:\n  \n  aten::gelu(Tensor "
         "self, *, "
         "str approximate=\"none\") -> Tensor:\n  Unknown keyword argument 'foo' for operator 'aten::gelu'.\n  "
         "\n  "
         "aten::gelu.out(Tensor self) -> Tensor(a!):\n",
         "net.pt: the operator aten::gelu does not exist for these arguments in LibTorch "},
        {"\n\nprepacked::conv2d_clamp_run(Tensor X, __torch__.torch.classes.xnnpack.Conv2dOpContext W_prepack) "
         "-> "
         "Tensor Y:\nExpected a value of type",
         "net.pt: the operator prepacked::conv2d_clamp_run does not exist for these arguments in LibTorch "},
        {"\nUnknown type name '__torch__.torch.classes.foo.Bar':\n  File \"code/__torch__.py\", line 3\n",
         "net.pt: the class __torch__.torch.classes.foo.Bar does not exist in the file or in LibTorch "},
    };
    for (const auto& row : rows) {
        const auto error = explained("net.pt", row.message);
        EXPECT_EQ(error.kind, ErrorKind::unsupported) << row.message;
        EXPECT_THAT(error.message,
                    AllOf(StartsWith(row.stated), Not(HasSubstr("\n")), Not(HasSubstr("shape"))));
        EXPECT_EQ(error.hint, kWithoutOperator) << row.message;
    }
}

TEST(TorchErrors, NameTheOperatorThatFailed) {
    const std::string begin =
        "The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript, serialized "
        "code "
        "(most recent call last):\n  File \"code/__torch__/a.py\", line 9, in forward\n    _1 = "
        "(self.b).forward(x, )\n"
        "          ~~~~~~~~~~~~~~~~ <--- HERE\n  File \"code/__torch__/b.py\", line 4, in forward\n";
    const std::string end = "\nRuntimeError: mat1 and mat2 shapes cannot be multiplied (192x32 and 7x7)\n";
    const std::string stated = "mat1 and mat2 shapes cannot be multiplied (192x32 and 7x7)";
    const struct {
        const char* code;
        const char* name;  // before what is stated
    } rows[] = {
        {"    _0 = torch.matmul(x, _1)\n         ~~~~~~~~~~~~ <--- HERE\n", "aten::matmul: "},
        {"    _0 = ops.quantized.linear(x, _1)\n         ~~~~~~~~~~~~~~~~~~~~ <--- HERE\n",
         "quantized::linear: "},
        {"    _0 = torch.add(torch.mm(x, _1), y)\n                   ~~~~~~~~ <--- HERE\n", "aten::mm: "},
        {"    _0 = torch.conv2d(x,\n         ~~~~~~~~~~~~~~~\n       _1)\n       ~~~ <--- HERE\n",
         "aten::conv2d: "},
        {"    _0 = torch.matmul(x, _1)\n         ~~~~~~~~~~~~ <--- HERE\n\nTraceback of TorchScript, original "
         "code "
         "(most recent call last):\n  File \"net.py\", line 1, in forward\n    return F.linear(x, w)\n         "
         "  "
         "~~~~~~~~ <--- HERE\n",
         "aten::matmul: "},
        {"    x = y\n    ~ <--- HERE\n", ""},
        {" <--- HERE", ""},
        {"~ <--- HERE", ""},
        {"", ""},
    };
    for (const auto& row : rows) {
        const auto error = explained("net.pt", begin + row.code + end);
        EXPECT_EQ(error.message, "net.pt: LibTorch: " + std::string(row.name) + stated) << row.code;
        EXPECT_TRUE(error.hint.empty()) << row.code;
    }
}

TEST(TorchErrors, OfAnyTextAreOneShortLine) {
    const auto address = explained("a", "'Net (of Python compilation unit at: 0x5629a9ae08b0)' has no b.:\n");
    EXPECT_EQ(address.message, "a: LibTorch: 'Net' has no b.");
    for (const auto* text : {" (of Python compilation unit at: ", "", "\n", "~", "~ <--- HERE", "\n~ <--- HERE",
                             "Unknown builtin op: ", "Could not run '", "Arguments for call are not valid.",
                             "a::b(", "\x1b[31m <--- HERE"}) {
        const auto error = explained("net.pt", text);
        EXPECT_THAT(error.message, AllOf(StartsWith("net.pt: "), Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))))
            << text;
    }
    const auto error = explained("net.pt", "Unknown builtin op: " + std::string(10'000, 'a'));
    EXPECT_LT(error.message.size(), 400U);
    EXPECT_THAT(explained("net.pt", std::string(10'000, 'a')).message, EndsWith("..."));
}

}  // namespace
}  // namespace modelseal::libtorch

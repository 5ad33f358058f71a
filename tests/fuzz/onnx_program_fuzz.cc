// Whatever the bytes, reading a graph ends in an Error that is not our own fault or in a program whose
// constants lie inside the file.
#include "formats/onnx/program.h"
#include "tests/fuzz/fuzz.h"
#include "util/text.h"

using modelseal::test::finding;
namespace util = modelseal::util;
namespace onnx = modelseal::formats::onnx;

namespace {

void check(const onnx::Constant& constant, const modelseal::Source& source) {
    std::uint64_t elements = 0;
    for (const auto& segment : constant.tensor.segments) {
        elements += segment.elements;
        if (segment.file != 0) continue;
        if (segment.offset > source.size() || segment.bytes > source.size() - segment.offset) {
            finding("a constant leaves the file");
        }
    }
    if (constant.is_text) elements = constant.text.size();
    if (elements != constant.tensor.elements) finding("a constant with too few elements");
}

void check(const onnx::Graph& graph, const modelseal::Source& source);

void check(const std::vector<onnx::Node>& nodes, const modelseal::Source& source) {
    for (const auto& node : nodes) {
        for (const auto& attribute : node.attributes) {
            for (const auto& constant : attribute.tensors) check(constant, source);
            for (const auto& graph : attribute.graphs) check(graph, source);
        }
    }
}

void check(const onnx::Graph& graph, const modelseal::Source& source) {
    for (const auto& constant : graph.initializers) check(constant, source);
    check(graph.nodes, source);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const modelseal::formats::MemorySource source("fuzz", std::as_bytes(std::span(data, size)));
    const auto program = onnx::read_program(source);
    if (!program.ok()) {
        if (program.error().kind == modelseal::ErrorKind::internal) finding(program.error().message);
        if (!util::is_utf8(program.error().message)) finding("a message that cannot be shown");
        return 0;
    }
    check(program->graph, source);
    for (const auto& function : program->functions) check(function.nodes, source);
    return 0;
}

// Whatever the bytes: rewriting a file without changes gives the same bytes, or an Error that is not our own
// fault; with new values for its initializers it gives a file with these, in which the rest is equal.
#include <algorithm>

#include "formats/onnx/program.h"
#include "formats/onnx/rewrite.h"
#include "tests/fuzz/fuzz.h"
#include "util/checked.h"
#include "util/text.h"

using modelseal::test::finding;
namespace util = modelseal::util;
namespace formats = modelseal::formats;
namespace onnx = modelseal::formats::onnx;

namespace {

constexpr std::uint64_t kMost = 1u << 20;

modelseal::Result<void> zeros(const std::string&, std::uint64_t, std::span<std::byte> out) {
    std::fill(out.begin(), out.end(), std::byte{0});
    return {};
}

// Each initializer with one more slice of ones, if it is small.
onnx::Changes wider(const onnx::Program& program) {
    onnx::Changes changes;
    for (const auto& initializer : program.graph.initializers) {
        const auto& tensor = initializer.tensor;
        if (initializer.is_text || tensor.shape.empty() || tensor.elements > 4096) continue;
        auto shape = tensor.shape;
        ++shape[0];
        std::uint64_t elements = 0, bytes = 0;
        if (!util::element_count(shape, elements) || elements > 8192 ||
            !modelseal::storage_bytes(tensor.dtype, elements, bytes))
            continue;
        changes.tensors[tensor.name] = {shape, std::vector<std::byte>(bytes, std::byte{1})};
    }
    for (const auto& output : program.graph.outputs) changes.extents[output.name] = {{0, 3}, {1, 5}};
    return changes;
}

void compare(const onnx::Program& old, const onnx::Program& now, const onnx::Changes& changes) {
    if (old.graph.nodes.size() != now.graph.nodes.size() || old.metadata != now.metadata ||
        old.graph.inputs.size() != now.graph.inputs.size() || old.functions.size() != now.functions.size() ||
        old.graph.initializers.size() != now.graph.initializers.size()) {
        finding("another graph");
    }
    if (!now.references.empty()) finding("external data in the new file");
    for (std::size_t i = 0; i < old.graph.initializers.size(); ++i) {
        const auto &before = old.graph.initializers[i].tensor, &after = now.graph.initializers[i].tensor;
        const auto change = changes.tensors.find(before.name);
        const auto& shape = change == changes.tensors.end() ? before.shape : change->second.shape;
        if (before.name != after.name || before.dtype != after.dtype || shape != after.shape) {
            finding("another tensor");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const formats::MemorySource source("fuzz", bytes);
    const auto program = onnx::read_program(source);
    const auto same = onnx::rewrite(source, {}, zeros, kMost);
    if (!same.ok()) {
        if (same.error().kind == modelseal::ErrorKind::internal) finding(same.error().message);
        if (!util::is_utf8(same.error().message)) finding("a message that cannot be shown");
    } else if (program.ok() && program->references.empty() && !std::ranges::equal(*same, bytes)) {
        finding("other bytes without a change");
    }
    if (!program.ok()) return 0;
    const auto changes = wider(*program);
    const auto changed = onnx::rewrite(source, changes, zeros, kMost);
    if (!changed.ok()) {
        if (changed.error().kind == modelseal::ErrorKind::internal) finding(changed.error().message);
        return 0;
    }
    if (changed->size() > kMost) finding("more bytes than allowed");
    const formats::MemorySource result("result", *changed);
    const auto again = onnx::read_program(result);
    if (!again.ok()) finding(again.error().message);
    if (again.ok()) compare(*program, *again, changes);
    return 0;
}

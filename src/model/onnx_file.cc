#include "model/onnx_file.h"

#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>

#include "model/part.h"
#include "util/text.h"

namespace modelseal {

namespace {

using formats::onnx::Attribute;
using formats::onnx::Constant;
using formats::onnx::Graph;
using formats::onnx::Node;

Result<void> check_constant(const Model& model, const Constant& constant) {
    for (const auto& segment : constant.tensor.segments) {
        const auto& source = *model.files.at(segment.file).source;
        if (segment.offset <= source.size() && segment.bytes <= source.size() - segment.offset) continue;
        return Error{
            ErrorKind::malformed,
            fmt::format("{}: tensor '{}': needs {} bytes at offset {}, the file has {}", source.name(),
                        util::printable(constant.tensor.name), segment.bytes, segment.offset, source.size()),
            {}};
    }
    return {};
}

Result<void> check_graph(const Model& model, const Graph& graph);

Result<void> check_attribute(const Model& model, const Attribute& attribute) {
    for (const auto& constant : attribute.tensors) MODELSEAL_TRY(check_constant(model, constant));
    for (const auto& graph : attribute.graphs) MODELSEAL_TRY(check_graph(model, graph));
    return {};
}

Result<void> check_nodes(const Model& model, const std::vector<Node>& nodes) {
    for (const auto& node : nodes) {
        for (const auto& attribute : node.attributes) MODELSEAL_TRY(check_attribute(model, attribute));
    }
    return {};
}

Result<void> check_graph(const Model& model, const Graph& graph) {
    for (const auto& constant : graph.initializers) MODELSEAL_TRY(check_constant(model, constant));
    return check_nodes(model, graph.nodes);
}

Result<void> check_program(const OnnxFile& file) {
    MODELSEAL_TRY(check_graph(file.files, file.program.graph));
    for (const auto& function : file.program.functions) {
        for (const auto& attribute : function.defaults) MODELSEAL_TRY(check_attribute(file.files, attribute));
        MODELSEAL_TRY(check_nodes(file.files, function.nodes));
    }
    return {};
}

}  // namespace

Result<OnnxFile> read_onnx_file(Model files, const Limits& limits) {
    OnnxFile file;
    const auto& graph = *files.files.front().source;
    MODELSEAL_TRY_ASSIGN(file.program, formats::onnx::read_program(graph, limits));
    Layout layout;
    layout.references = file.program.references;
    MODELSEAL_TRY_ASSIGN(const auto part, make_part(graph, files.files.front().path, std::move(layout)));
    // Put in the order in which the program counts them.
    std::map<std::string, ModelFile> external;
    for (auto& one : std::span(files.files).subspan(1)) external.emplace(one.path, std::move(one));
    files.files.resize(1);
    for (const auto& path : std::span(part.files).subspan(std::min<std::size_t>(1, part.files.size()))) {
        auto found = external.extract(path);
        if (found.empty()) {
            return Error{
                ErrorKind::malformed,
                fmt::format("{}: its external data '{}' is not there", graph.name(), util::printable(path)),
                {}};
        }
        files.files.push_back(std::move(found.mapped()));
    }
    file.files = std::move(files);
    file.files.format = "onnx";
    file.files.tensors.clear();
    MODELSEAL_TRY(check_program(file));
    return file;
}

}  // namespace modelseal

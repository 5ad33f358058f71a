#include "model/onnx_file.h"

#include <fmt/format.h>

#include "formats/reader.h"
#include "io/folder.h"
#include "model/part.h"

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
                        formats::printable(constant.tensor.name), segment.bytes, segment.offset, source.size()),
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

Result<OnnxFile> open_onnx_file(const std::filesystem::path& path, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(auto source, io::FileSource::open(path, path.string()));
    OnnxFile file;
    MODELSEAL_TRY_ASSIGN(file.program, formats::onnx::read_program(*source, limits));
    Layout layout;
    layout.references = file.program.references;
    MODELSEAL_TRY_ASSIGN(const auto part, make_part(*source, path.filename().string(), std::move(layout)));
    file.files.path = path;
    file.files.format = "onnx";
    file.files.files.push_back({{}, std::move(source), {}});
    if (part.files.size() > 1) {
        if (part.files.size() > kMostFiles) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: more than {} files make up the model",
                                     formats::printable(path.string()), kMostFiles),
                         {}};
        }
        MODELSEAL_TRY_ASSIGN(const auto folder, io::Folder::open(path.parent_path()));
        for (std::size_t i = 1; i < part.files.size(); ++i) {
            MODELSEAL_TRY_ASSIGN(auto external, folder.file(part.files[i]));
            file.files.files.push_back({part.files[i], std::move(external), {}});
        }
    }
    MODELSEAL_TRY(check_program(file));
    return file;
}

}  // namespace modelseal

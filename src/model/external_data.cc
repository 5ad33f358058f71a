#include "model/external_data.h"

#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>

#include "model/part.h"
#include "util/text.h"

namespace modelseal::model {
namespace {

// Goes from the outermost files inwards. A candidate is open until it is known to be a model or data.
class Settlement {
  public:
    explicit Settlement(std::vector<Part> candidates) : candidates_(std::move(candidates)) {
        for (std::size_t i = 0; i < candidates_.size(); ++i) {
            open_.emplace(candidates_[i].path, i);
            for (const auto& file : data_of(candidates_[i])) ++namers_[file];
        }
        for (const auto& [path, i] : open_) {
            if (!namers_.contains(path)) unnamed_.push_back(path);
        }
    }

    void take_data_of(const Part& model) {
        for (const auto& file : data_of(model)) take_for_data(file);
    }

    Result<ModelsAndData> settle() {
        while (!unnamed_.empty()) {
            const auto found = open_.find(unnamed_.back());
            unnamed_.pop_back();
            if (found == open_.end()) continue;  // data of a model that was found meanwhile
            auto& model = candidates_[found->second];
            open_.erase(found);
            take_data_of(model);
            no_longer_names(model);
            settled_.models.push_back(std::move(model));
        }
        if (open_.empty()) return std::move(settled_);
        return Error{ErrorKind::malformed,
                     fmt::format("{}: is the external data of its own external data",
                                 util::printable(open_.begin()->first)),
                     {}};
    }

  private:
    static std::set<std::string> data_of(const Part& part) {
        return {std::next(part.files.begin()), part.files.end()};
    }

    void take_for_data(const std::string& file) {
        settled_.data.insert(file);
        const auto found = open_.find(file);
        if (found == open_.end()) return;
        const auto& data = candidates_[found->second];
        open_.erase(found);
        no_longer_names(data);
    }

    void no_longer_names(const Part& part) {
        for (const auto& file : data_of(part)) {
            if (--namers_[file] == 0) unnamed_.push_back(file);
        }
    }

    std::vector<Part> candidates_;
    std::map<std::string, std::size_t> open_;    // path to the place among the candidates
    std::map<std::string, std::size_t> namers_;  // path to the number of open candidates that name it
    std::vector<std::string> unnamed_;           // by no open candidate; some are settled already
    ModelsAndData settled_;
};

}  // namespace

Result<ModelsAndData> tell_models_from_data(std::vector<Part> candidates, const std::vector<Part>& shards) {
    Settlement settlement(std::move(candidates));
    for (const auto& shard : shards) settlement.take_data_of(shard);
    return settlement.settle();
}

namespace {

using formats::onnx::Attribute;
using formats::onnx::Constant;
using formats::onnx::Graph;
using formats::onnx::Node;

Result<void> check_constant(const Model& model, const Constant& constant) {
    for (const auto& segment : constant.tensor.segments) {
        const auto& source = *model.files.at(segment.file).source;
        if (segment.offset <= source.size() && segment.bytes <= source.size() - segment.offset) continue;
        return Error{ErrorKind::malformed,
                     fmt::format("{}: tensor '{}': needs {} at offset {}, the file has {}", source.name(),
                                 util::printable(constant.tensor.name), util::counted(segment.bytes, "byte"),
                                 segment.offset, source.size()),
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
            return Error{ErrorKind::malformed,
                         fmt::format("{}: external data '{}' not found", graph.name(), util::printable(path)),
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

}  // namespace modelseal::model

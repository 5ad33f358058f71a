
#include "formats/onnx/program.h"

#include <set>

#include <fmt/format.h>

#include "formats/onnx/program_reader.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

using protobuf::Field;
using protobuf::Fields;
using protobuf::Range;

namespace {

// The strings of a tensor, which read_header() only counted.
Result<void> read_strings(ProgramReader& reader, Range message, std::vector<std::string>& texts) {
    Fields fields(reader.walk.input, message, tensor::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        if (field->number != tensor::string_data) continue;
        MODELSEAL_TRY_ASSIGN(auto text, reader.text(*field, "a tensor's string"));
        texts.push_back(std::move(text));
    }
}

Result<void> add_node(ProgramReader& reader, Range message, std::uint32_t depth, std::vector<Node>& nodes,
                      std::set<std::string>& defined) {
    MODELSEAL_TRY_ASSIGN(auto node, read_node(reader, message, depth));
    for (const auto& output : node.outputs) {
        if (output.empty()) continue;
        MODELSEAL_TRY(reader.walk.add_distinct(defined, output, "value", message.begin));
    }
    nodes.push_back(std::move(node));
    return {};
}

Result<void> add_initializer(ProgramReader& reader, Range message, Graph& graph, std::set<std::string>& names) {
    MODELSEAL_TRY(reader.hold(sizeof(Constant), message.begin));
    MODELSEAL_TRY_ASSIGN(auto constant, read_constant(reader, message, "initializer"));
    MODELSEAL_TRY(reader.walk.add_distinct(names, constant.tensor.name, "initializer", message.begin));
    graph.initializers.push_back(std::move(constant));
    return {};
}

Result<void> add_metadata(ProgramReader& reader, Range message, Program& program, std::set<std::string>& keys) {
    std::pair<std::string, std::string> pair;
    Fields fields(reader.walk.input, message, entry::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        if (!field->known) continue;
        auto& text = field->number == entry::key ? pair.first : pair.second;
        MODELSEAL_TRY_ASSIGN(text, reader.text(*field, "metadata_props"));
    }
    MODELSEAL_TRY(reader.walk.add_distinct(keys, pair.first, "key of metadata_props", message.begin));
    program.metadata.push_back(std::move(pair));
    return {};
}

struct Seen {
    bool graph = false;
    std::set<std::string> metadata;
    std::set<std::string> functions;
};

Result<void> read_model_field(ProgramReader& reader, const Field& field, Program& program, Seen& seen) {
    switch (field.number) {
        case model::ir_version:
            program.ir_version = static_cast<std::int64_t>(field.value);
            return {};
        case model::producer_name:
            return reader.name(field, "the producer's name", program.producer);
        case model::opset_import:
            return read_opset(reader, field.payload, program.opsets);
        case model::graph: {
            seen.graph = true;
            MODELSEAL_TRY_ASSIGN(program.graph, read_graph(reader, field.payload, 1));
            return {};
        }
        case model::metadata_props:
            return add_metadata(reader, field.payload, program, seen.metadata);
        case model::functions: {
            MODELSEAL_TRY_ASSIGN(auto function, read_function(reader, field.payload));
            const auto key = fmt::format("{}::{}:{}", function.domain, function.name, function.overload);
            MODELSEAL_TRY(reader.walk.add_distinct(seen.functions, key, "function", field.tag));
            program.functions.push_back(std::move(function));
            return {};
        }
        default:
            return {};
    }
}

// The texts of external files, which the walk has numbered.
Result<std::vector<std::string>> references(ProgramReader&& reader) {
    MODELSEAL_TRY_ASSIGN(auto layout, std::move(reader.walk.out).finish("onnx"));
    return std::move(layout.references);
}

}  // namespace

Result<Constant> read_constant(ProgramReader& reader, Range message, const std::string& what) {
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(reader.walk, message));
    MODELSEAL_TRY(reader.hold(header.name.size() + 8 * header.dims.size(), message.begin));
    MODELSEAL_TRY_ASSIGN(auto located,
                         locate_tensor(reader.walk, header, header.name.empty() ? what : header.name));
    Constant constant;
    if (located) {
        constant.tensor = std::move(*located);
    } else {
        constant.is_text = true;
        constant.tensor.shape = header.dims;
        constant.tensor.elements = header.strings;
        MODELSEAL_TRY(read_strings(reader, message, constant.text));
    }
    constant.tensor.name = header.name;
    return constant;
}

Result<Node> read_node(ProgramReader& reader, Range message, std::uint32_t depth) {
    MODELSEAL_TRY(reader.walk.check_depth(depth, message));
    MODELSEAL_TRY(reader.hold(sizeof(Node), message.begin));
    Node node;
    std::set<std::string> attributes;
    Fields fields(reader.walk.input, message, node::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        if (field->number == node::input) MODELSEAL_TRY(reader.names(*field, "an input's name", node.inputs));
        if (field->number == node::output)
            MODELSEAL_TRY(reader.names(*field, "an output's name", node.outputs));
        if (field->number == node::name) MODELSEAL_TRY(reader.name(*field, "a node's name", node.name));
        if (field->number == node::op_type) MODELSEAL_TRY(reader.name(*field, "an operator", node.op_type));
        if (field->number == node::domain) MODELSEAL_TRY(reader.name(*field, "a domain", node.domain));
        if (field->number == node::overload) MODELSEAL_TRY(reader.name(*field, "an overload", node.overload));
        if (field->number != node::attribute) continue;
        MODELSEAL_TRY_ASSIGN(auto attribute, read_attribute(reader, field->payload, depth + 1));
        MODELSEAL_TRY(reader.walk.add_distinct(attributes, attribute.name, "attribute", field->tag));
        node.attributes.push_back(std::move(attribute));
    }
    normalise_domain(node.domain);
    return node;
}

Result<Graph> read_graph(ProgramReader& reader, Range message, std::uint32_t depth) {
    MODELSEAL_TRY(reader.walk.check_depth(depth, message));
    Graph graph;
    std::set<std::string> initializers, inputs, outputs, computed;
    Fields fields(reader.walk.input, message, graph::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        const auto& payload = field->payload;
        switch (field->number) {
            case graph::name:
                MODELSEAL_TRY(reader.name(*field, "a graph's name", graph.name));
                break;
            case graph::node:
                MODELSEAL_TRY(add_node(reader, payload, depth + 1, graph.nodes, computed));
                break;
            case graph::initializer:
                MODELSEAL_TRY(add_initializer(reader, payload, graph, initializers));
                break;
            case graph::sparse_initializer:
                return unsupported_at(reader.walk.input.source, field->tag, "a sparse initializer");
            case graph::input:
            case graph::output: {
                const bool input = field->number == graph::input;
                MODELSEAL_TRY_ASSIGN(auto value, read_value_info(reader, payload));
                // An output may be given twice, and some writers do.
                if (input) MODELSEAL_TRY(reader.walk.add_distinct(inputs, value.name, "input", field->tag));
                (input ? graph.inputs : graph.outputs).push_back(std::move(value));
                break;
            }
            default:
                break;
        }
    }
    for (const auto& name : computed) {
        if (!inputs.contains(name) && !initializers.contains(name)) continue;
        return malformed_at(reader.walk.input.source, message.begin,
                            fmt::format("the value '{}' is both computed and an input", util::printable(name)));
    }
    return graph;
}

Result<Function> read_function(ProgramReader& reader, Range message) {
    MODELSEAL_TRY(reader.hold(sizeof(Function), message.begin));
    Function function;
    std::set<std::string> computed, attributes;
    Fields fields(reader.walk.input, message, function::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        const auto number = field->number;
        if (number == function::name) MODELSEAL_TRY(reader.name(*field, "a function's name", function.name));
        if (number == function::domain) MODELSEAL_TRY(reader.name(*field, "a domain", function.domain));
        if (number == function::overload) MODELSEAL_TRY(reader.name(*field, "an overload", function.overload));
        if (number == function::input) MODELSEAL_TRY(reader.names(*field, "an input's name", function.inputs));
        if (number == function::output)
            MODELSEAL_TRY(reader.names(*field, "an output's name", function.outputs));
        if (number == function::attribute) {
            MODELSEAL_TRY(reader.names(*field, "an attribute's name", function.attributes));
        }
        if (number == function::opset_import)
            MODELSEAL_TRY(read_opset(reader, field->payload, function.opsets));
        if (number == function::node) {
            MODELSEAL_TRY(add_node(reader, field->payload, 3, function.nodes, computed));
        }
        if (number != function::attribute_proto) continue;
        MODELSEAL_TRY_ASSIGN(auto attribute, read_attribute(reader, field->payload, 2));
        MODELSEAL_TRY(reader.walk.add_distinct(attributes, attribute.name, "attribute", field->tag));
        function.defaults.push_back(std::move(attribute));
    }
    normalise_domain(function.domain);
    return function;
}

Result<void> read_opset(ProgramReader& reader, Range message, Opsets& opsets) {
    std::string domain;
    std::int64_t version = 0;
    Fields fields(reader.walk.input, message, opset::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        if (field->number == opset::domain) MODELSEAL_TRY(reader.name(*field, "a domain", domain));
        if (field->number == opset::version) version = static_cast<std::int64_t>(field->value);
    }
    normalise_domain(domain);
    MODELSEAL_TRY(reader.hold(sizeof(Opsets::value_type), message.begin));
    const auto [known, fresh] = opsets.emplace(domain, version);
    if (fresh || known->second == version) return {};
    return malformed_at(reader.walk.input.source, message.begin,
                        fmt::format("opset_import has the versions {} and {} for the domain '{}'",
                                    known->second, version, util::printable(domain)));
}

Result<Program> read_program(const Source& source, const Limits& limits) {
    ProgramReader reader(source, limits);
    Program program;
    Seen seen;
    Fields fields(reader.walk.input, {0, source.size()}, model::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        MODELSEAL_TRY(read_model_field(reader, *field, program, seen));
    }
    if (program.ir_version < 1) return malformed_at(source, 0, "the model has no ir_version");
    if (!seen.graph) return malformed_at(source, 0, "the model has no graph");
    MODELSEAL_TRY_ASSIGN(program.references, references(std::move(reader)));
    return program;
}

}  // namespace modelseal::formats::onnx

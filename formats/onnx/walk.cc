#include <set>

#include <fmt/format.h>

#include "formats/onnx/tensor.h"

namespace modelseal::formats::onnx {

using protobuf::Fields;
using protobuf::Range;

namespace {

constexpr std::size_t kMaxAttributes = 4096;  // of one node; operators have a few dozen at most

// Where in the model we are: prefix of all names, and how many messages deep.
struct Scope {
    std::string path;  // empty, or ends with '/'
    std::uint32_t depth = 0;
    Naming naming = Naming::path;  // of initializers

    Scope below(const std::string& step) const { return {path + step + '/', depth + 1, Naming::path}; }
};

// The prefix for names of tensors in a node's or function's attributes.
struct Owner {
    std::string label;     // the node's name
    std::string constant;  // of a Constant node: the name of its value
};

// Names that must differ within one message; at most `cap` of them, or any number if that is 0.
class Distinct {
  public:
    Distinct(std::string_view what, std::uint64_t cap) : what_(what), cap_(cap) {}
    Result<void> add(const Walk& walk, const std::string& name, std::uint64_t offset) {
        if (cap_ != 0 && seen_.size() >= cap_) {
            return malformed_at(walk.input.source, offset, fmt::format("more than {} {}s", cap_, what_));
        }
        return walk.add_distinct(seen_, name, what_, offset);
    }

  private:
    std::string_view what_;
    std::uint64_t cap_;
    std::set<std::string> seen_;
};

Result<void> add_tensor(Walk& walk, const TensorHeader& header, std::string name, Naming naming) {
    MODELSEAL_TRY_ASSIGN(auto tensor, locate_tensor(walk, header, std::move(name)));
    if (!tensor) return {};
    return walk.out.add(std::move(*tensor), naming, header.message.begin);
}

// An initializer, or with `sparse` the two tensors of a sparse one: values carry the name.
Result<void> walk_initializer(Walk& walk, const Scope& scope, Range message, Distinct& names) {
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(walk, message));
    MODELSEAL_TRY(names.add(walk, header.name, message.begin));
    const auto name = header.name.empty() ? std::string("initializer") : header.name;
    return add_tensor(walk, header, scope.path + name, header.name.empty() ? Naming::path : scope.naming);
}

struct SparseParts {
    std::optional<Range> values;
    std::optional<Range> indices;
};

Result<SparseParts> sparse_parts(Walk& walk, Range message) {
    SparseParts parts;
    Fields fields(walk.input, message, sparse::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return parts;
        if (field->number == sparse::values) parts.values = field->payload;
        if (field->number == sparse::indices) parts.indices = field->payload;
    }
}

Result<void> add_indices(Walk& walk, const SparseParts& parts, const std::string& name) {
    if (!parts.indices) return {};
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(walk, *parts.indices));
    return add_tensor(walk, header, name + "/indices", Naming::path);
}

Result<void> walk_sparse_initializer(Walk& walk, const Scope& scope, Range message, Distinct& names) {
    MODELSEAL_TRY_ASSIGN(const auto parts, sparse_parts(walk, message));
    if (!parts.values) {
        return malformed_at(walk.input.source, message.begin, "a sparse initializer has no values");
    }
    MODELSEAL_TRY_ASSIGN(const auto values, read_header(walk, *parts.values));
    MODELSEAL_TRY(walk_initializer(walk, scope, *parts.values, names));
    return add_indices(walk, parts, scope.path + (values.name.empty() ? "initializer" : values.name));
}

Result<void> walk_tensor(Walk& walk, Range message, const std::string& name) {
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(walk, message));
    return add_tensor(walk, header, name, Naming::path);
}

Result<void> walk_sparse_tensor(Walk& walk, Range message, const std::string& name) {
    MODELSEAL_TRY_ASSIGN(const auto parts, sparse_parts(walk, message));
    if (parts.values) MODELSEAL_TRY(walk_tensor(walk, *parts.values, name));
    return add_indices(walk, parts, name);
}

Result<void> walk_graph(Walk& walk, const Scope& scope, Range message);

Result<std::string> attribute_name(Walk& walk, Range message) {
    std::string name;
    Fields fields(walk.input, message, attribute::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return name;
        if (field->number == attribute::name) {
            MODELSEAL_TRY(walk.read_name(*field, "an attribute's name", name));
        }
    }
}

Result<void> walk_attribute(Walk& walk, const Scope& scope, const Owner& owner, Range message,
                            Distinct& names) {
    MODELSEAL_TRY_ASSIGN(const auto name, attribute_name(walk, message));
    MODELSEAL_TRY(names.add(walk, name, message.begin));
    const auto label = owner.label + '/' + name;
    const bool is_value = !owner.constant.empty() && (name == "value" || name == "sparse_value");
    const auto single = scope.path + (is_value ? owner.constant : label);
    std::size_t tensors = 0, graphs = 0, sparse_tensors = 0;  // so far, of the lists
    Fields fields(walk.input, message, attribute::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        const auto& payload = field->payload;
        const auto listed = [&](std::size_t& index) { return fmt::format("{}[{}]", label, index++); };
        switch (field->number) {
            case attribute::t:
                MODELSEAL_TRY(walk_tensor(walk, payload, single));
                break;
            case attribute::sparse_tensor:
                MODELSEAL_TRY(walk_sparse_tensor(walk, payload, single));
                break;
            case attribute::tensors:
                MODELSEAL_TRY(walk_tensor(walk, payload, scope.path + listed(tensors)));
                break;
            case attribute::sparse_tensors:
                MODELSEAL_TRY(walk_sparse_tensor(walk, payload, scope.path + listed(sparse_tensors)));
                break;
            case attribute::g:
                MODELSEAL_TRY(walk_graph(walk, scope.below(label), payload));
                break;
            case attribute::graphs:
                MODELSEAL_TRY(walk_graph(walk, scope.below(listed(graphs)), payload));
                break;
            default:
                break;
        }
    }
}

// Walks the fields `number` of the message, each an attribute of `owner`.
Result<void> walk_attributes(Walk& walk, const Scope& scope, const Owner& owner, Range message,
                             const Message& rules, std::uint32_t number) {
    Distinct names("attribute", kMaxAttributes);
    Fields fields(walk.input, message, rules);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        if (field->number == number) MODELSEAL_TRY(walk_attribute(walk, scope, owner, field->payload, names));
    }
}

// A first pass for the name of the node, a second for its attributes, which may precede the name.
Result<void> walk_node(Walk& walk, const Scope& scope, Range message) {
    std::string name, type, output;
    bool has_attributes = false;
    Fields fields(walk.input, message, node::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        if (field->number == node::attribute) has_attributes = true;
        if (field->number == node::name) MODELSEAL_TRY(walk.read_name(*field, "a node's name", name));
        if (field->number == node::op_type) MODELSEAL_TRY(walk.read_name(*field, "an operator", type));
        if (field->number == node::output && output.empty()) {
            MODELSEAL_TRY(walk.read_name(*field, "an output's name", output));
        }
    }
    if (!has_attributes) return {};
    Owner owner{.label = !name.empty() ? name : !output.empty() ? output : type};
    if (type == "Constant") owner.constant = output;
    return walk_attributes(walk, scope, owner, message, node::kMessage, node::attribute);
}

Result<void> walk_graph(Walk& walk, const Scope& scope, Range message) {
    MODELSEAL_TRY(walk.check_depth(scope.depth, message));
    Distinct initializers("initializer", 0);  // locate_tensor() counts them
    Fields fields(walk.input, message, graph::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        if (field->number == graph::node) {
            MODELSEAL_TRY(walk_node(walk, {scope.path, scope.depth + 2, Naming::path}, field->payload));
        } else if (field->number == graph::initializer) {
            MODELSEAL_TRY(walk_initializer(walk, scope, field->payload, initializers));
        } else if (field->number == graph::sparse_initializer) {
            MODELSEAL_TRY(walk_sparse_initializer(walk, scope, field->payload, initializers));
        }
    }
}

Result<void> walk_function(Walk& walk, Range message, Distinct& functions) {
    std::string name, domain, overload;
    Fields fields(walk.input, message, function::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        if (field->number == function::name) MODELSEAL_TRY(walk.read_name(*field, "a function's name", name));
        if (field->number == function::domain) MODELSEAL_TRY(walk.read_name(*field, "a domain", domain));
        if (field->number == function::overload) {
            MODELSEAL_TRY(walk.read_name(*field, "an overload", overload));
        }
    }
    auto label = domain.empty() ? name : domain + "::" + name;
    if (!overload.empty()) label += ':' + overload;
    MODELSEAL_TRY(functions.add(walk, label, message.begin));
    MODELSEAL_TRY(walk_attributes(walk, {"", 2, Naming::path}, {label, ""}, message, function::kMessage,
                                  function::attribute_proto));
    const Scope scope{label + '/', 3, Naming::path};
    Fields nodes(walk.input, message, function::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, nodes.next());
        if (!field) return {};
        if (field->number == function::node) MODELSEAL_TRY(walk_node(walk, scope, field->payload));
    }
}

Result<void> walk_training(Walk& walk, Range message, std::size_t index) {
    Fields fields(walk.input, message, training::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        const bool first = field->number == training::initialization;
        if (!first && field->number != training::algorithm) continue;
        const auto path = fmt::format("training_info[{}]/{}/", index, first ? "initialization" : "algorithm");
        MODELSEAL_TRY(walk_graph(walk, {path, 2, Naming::path}, field->payload));
    }
}

}  // namespace

Result<void> walk_model(Walk& walk, Range message) {
    bool version = false, main_graph = false;
    std::size_t trainings = 0;
    Distinct functions("function", walk.limits.tensors);
    Fields fields(walk.input, message, model::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        switch (field->number) {
            case model::ir_version:
                version = true;
                break;
            case model::graph:
                main_graph = true;
                MODELSEAL_TRY(walk_graph(walk, {"", 1, Naming::own}, field->payload));
                break;
            case model::training_info:
                MODELSEAL_TRY(walk_training(walk, field->payload, trainings++));
                break;
            case model::functions:
                MODELSEAL_TRY(walk_function(walk, field->payload, functions));
                break;
            default:
                break;
        }
    }
    if (!version) return malformed_at(walk.input.source, message.begin, "the model has no ir_version");
    if (!main_graph) return malformed_at(walk.input.source, message.begin, "the model has no graph");
    return {};
}

}  // namespace modelseal::formats::onnx

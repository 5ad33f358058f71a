#include "formats/onnx/rewrite.h"

#include <algorithm>

#include <fmt/format.h>

#include "formats/onnx/tensor.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

using protobuf::Field;
using protobuf::Fields;
using protobuf::Range;

namespace {

constexpr std::uint64_t kMostProtobuf = (1ull << 31) - 1;
constexpr std::uint64_t kInExternalFile = 1;  // TensorProto.DataLocation

using Bytes = std::vector<std::byte>;

void put_varint(Bytes& bytes, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<std::byte>(value | 0x80));
    bytes.push_back(static_cast<std::byte>(value));
}

void put_tag(Bytes& bytes, std::uint32_t number, Wire wire) {
    put_varint(bytes, std::uint64_t{number} << 3 | static_cast<std::uint64_t>(wire));
}

// A message of the new file: ranges of the old one, and bytes of its own.
class Pieces {
  public:
    bool changed() const { return changed_; }
    std::uint64_t size() const { return size_; }

    void keep(Range range) {
        if (range.size() == 0) return;
        size_ += range.size();
        if (!list_.empty() && list_.back().own.empty() && list_.back().range.end == range.begin) {
            list_.back().range.end = range.end;
        } else {
            list_.push_back({range, {}});
        }
    }
    void keep(const Field& field) { keep(Range{field.tag, field.payload.end}); }
    void drop() { changed_ = true; }
    void put(Bytes bytes) {
        changed_ = true;
        if (bytes.empty()) return;
        size_ += bytes.size();
        list_.push_back({{}, std::move(bytes)});
    }
    // The field again, with this as its message.
    void nest(const Field& field, Pieces inner) {
        if (!inner.changed_) return keep(field);
        Bytes head;
        put_tag(head, field.number, Wire::bytes);
        put_varint(head, inner.size_);
        put(std::move(head));
        size_ += inner.size_;
        std::ranges::move(inner.list_, std::back_inserter(list_));
    }
    Result<void> write(const Source& source, Bytes& out) const {
        out.resize(static_cast<std::size_t>(size_));
        std::size_t at = 0;
        for (const auto& piece : list_) {
            const auto bytes =
                piece.own.empty() ? static_cast<std::size_t>(piece.range.size()) : piece.own.size();
            const auto into = std::span(out).subspan(at, bytes);
            if (piece.own.empty()) {
                MODELSEAL_TRY(source.read(piece.range.begin, into));
            } else {
                std::ranges::copy(piece.own, into.begin());
            }
            at += bytes;
        }
        return {};
    }

  private:
    struct Piece {
        Range range;  // of the old file, if `own` is empty
        Bytes own;
    };
    std::vector<Piece> list_;
    std::uint64_t size_ = 0;
    bool changed_ = false;
};

enum class Where { main_graph, deeper };

class Rewriter {
  public:
    Rewriter(const Source& source, const Changes& changes, const ReadExternal& external, std::uint64_t most,
             const Limits& limits)
        : walk_(source, limits), changes_(changes), external_(external), most_(std::min(most, kMostProtobuf)) {}

    Result<Bytes> run() {
        const auto& source = walk_.input.source;
        MODELSEAL_TRY_ASSIGN(const auto pieces, model({0, source.size()}));
        for (const auto& [name, values] : changes_.tensors) {
            if (!found_.contains(name)) return internal(name, "is not in the file");
        }
        MODELSEAL_TRY(check_size(pieces.size()));
        Bytes bytes;
        MODELSEAL_TRY(pieces.write(source, bytes));
        return bytes;
    }

  private:
    template <class Write>
    Result<Pieces> each_field(Range message, const Message& rules, Write write) {
        Pieces out;
        Fields fields(walk_.input, message, rules);
        for (;;) {
            MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
            if (!field) return out;
            MODELSEAL_TRY(write(*field, out));
        }
    }

    // The field, rewritten by `inner`, which returns the Pieces of its message.
    template <class Inner>
    static Result<void> nested(const Field& field, Pieces& out, Inner inner) {
        MODELSEAL_TRY_ASSIGN(auto pieces, inner(field.payload));
        out.nest(field, std::move(pieces));
        return {};
    }

    Result<void> check_size(std::uint64_t bytes) const {
        if (bytes <= most_) return {};
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: the new file would have more than {}", walk_.input.source.name(),
                                 util::counted(most_, "byte")),
                     "weights in external files come into the file; use a smaller model"};
    }

    Error internal(const std::string& tensor, const std::string& what) const {
        return {ErrorKind::internal,
                fmt::format("{}: tensor '{}' {}", walk_.input.source.name(), util::printable(tensor), what),
                {}};
    }

    Result<Pieces> model(Range message);
    Result<Pieces> training(Range message);
    Result<Pieces> function(Range message);
    Result<Pieces> graph(Range message, std::uint32_t depth, Where where);
    Result<Pieces> node(Range message, std::uint32_t depth, Where where);
    Result<Pieces> attribute(Range message, std::uint32_t depth, const std::string* constant);
    Result<Pieces> sparse(Range message);
    Result<Pieces> tensor(Range message, const NewValues* values);
    Result<Pieces> value(Range message, const Extents& extents);
    Result<Pieces> dimensions(Range message, const Extents& extents);
    Result<std::string> text_of(Range message, const Message& rules, std::uint32_t number);
    Result<const NewValues*> new_values(const std::string& name, std::uint64_t offset);
    Result<Bytes> elements(const TensorHeader& header, const NewValues* values);

    Walk walk_;
    const Changes& changes_;
    const ReadExternal& external_;
    std::uint64_t most_;
    std::uint64_t fresh_ = 0;  // bytes of tensors that the old file does not have
    std::set<std::string> found_;
};

Result<Pieces> Rewriter::model(Range message) {
    return each_field(message, model::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        const auto inner = [&](Range payload) {
            return field.number == model::graph           ? graph(payload, 1, Where::main_graph)
                   : field.number == model::training_info ? training(payload)
                                                          : function(payload);
        };
        if (field.number == model::graph || field.number == model::training_info ||
            field.number == model::functions) {
            return nested(field, out, inner);
        }
        out.keep(field);
        return {};
    });
}

Result<Pieces> Rewriter::training(Range message) {
    return each_field(message, training::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        if (field.number == training::initialization || field.number == training::algorithm) {
            return nested(field, out, [&](Range payload) { return graph(payload, 2, Where::deeper); });
        }
        out.keep(field);
        return {};
    });
}

Result<Pieces> Rewriter::function(Range message) {
    return each_field(message, function::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        if (field.number == function::node) {
            return nested(field, out, [&](Range payload) { return node(payload, 3, Where::deeper); });
        }
        if (field.number == function::attribute_proto) {
            return nested(field, out, [&](Range payload) { return attribute(payload, 2, nullptr); });
        }
        out.keep(field);
        return {};
    });
}

Result<Pieces> Rewriter::graph(Range message, std::uint32_t depth, Where where) {
    MODELSEAL_TRY(walk_.check_depth(depth, message));
    const bool main = where == Where::main_graph;
    return each_field(message, graph::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        switch (field.number) {
            case graph::node:
                return nested(field, out, [&](Range payload) { return node(payload, depth + 1, where); });
            case graph::sparse_initializer:
                return nested(field, out, [&](Range payload) { return sparse(payload); });
            case graph::initializer: {
                const NewValues* values = nullptr;
                if (main) {
                    MODELSEAL_TRY_ASSIGN(const auto name,
                                         text_of(field.payload, tensor::kMessage, tensor::name));
                    MODELSEAL_TRY_ASSIGN(values, new_values(name, field.tag));
                }
                return nested(field, out, [&](Range payload) { return tensor(payload, values); });
            }
            case graph::input:
            case graph::output:
            case graph::value_info: {
                if (!main) break;
                MODELSEAL_TRY_ASSIGN(const auto name,
                                     text_of(field.payload, value_info::kMessage, value_info::name));
                if (field.number == graph::value_info) {
                    if (!changes_.forgotten.contains(name)) break;
                    out.drop();
                    return {};
                }
                const auto extents = changes_.extents.find(name);
                if (extents == changes_.extents.end()) break;
                return nested(field, out, [&](Range payload) { return value(payload, extents->second); });
            }
            default:
                break;
        }
        out.keep(field);
        return {};
    });
}

Result<Pieces> Rewriter::node(Range message, std::uint32_t depth, Where where) {
    MODELSEAL_TRY(walk_.check_depth(depth, message));
    std::string output;
    bool constant = false;
    if (where == Where::main_graph) {
        MODELSEAL_TRY_ASSIGN(const auto type, text_of(message, node::kMessage, node::op_type));
        MODELSEAL_TRY_ASSIGN(const auto domain, text_of(message, node::kMessage, node::domain));
        constant = type == "Constant" && (domain.empty() || domain == "ai.onnx");
        if (constant) {
            MODELSEAL_TRY_ASSIGN(output, text_of(message, node::kMessage, node::output));
        }
    }
    return each_field(message, node::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        if (field.number != node::attribute) {
            out.keep(field);
            return {};
        }
        return nested(field, out, [&](Range payload) {
            return attribute(payload, depth + 1, constant ? &output : nullptr);
        });
    });
}

// `constant`: the name of the value, if this is an attribute of a Constant node.
Result<Pieces> Rewriter::attribute(Range message, std::uint32_t depth, const std::string* constant) {
    const NewValues* values = nullptr;
    if (constant != nullptr) {
        MODELSEAL_TRY_ASSIGN(const auto name, text_of(message, attribute::kMessage, attribute::name));
        if (name == "value") {
            MODELSEAL_TRY_ASSIGN(values, new_values(*constant, message.begin));
        }
    }
    return each_field(message, attribute::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        switch (field.number) {
            case attribute::t:
            case attribute::tensors:
                return nested(field, out, [&](Range payload) {
                    return tensor(payload, field.number == attribute::t ? values : nullptr);
                });
            case attribute::g:
            case attribute::graphs:
                return nested(field, out,
                              [&](Range payload) { return graph(payload, depth + 1, Where::deeper); });
            case attribute::sparse_tensor:
            case attribute::sparse_tensors:
                return nested(field, out, [&](Range payload) { return sparse(payload); });
            default:
                out.keep(field);
                return {};
        }
    });
}

Result<Pieces> Rewriter::sparse(Range message) {
    return each_field(message, sparse::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        if (field.number == sparse::values || field.number == sparse::indices) {
            return nested(field, out, [&](Range payload) { return tensor(payload, nullptr); });
        }
        out.keep(field);
        return {};
    });
}

Result<Pieces> Rewriter::tensor(Range message, const NewValues* values) {
    MODELSEAL_TRY_ASSIGN(const auto header, read_header(walk_, message));
    Pieces out;
    if (values == nullptr && header.data_location != kInExternalFile) {
        out.keep(message);
        return out;
    }
    MODELSEAL_TRY_ASSIGN(auto data, elements(header, values));
    const bool same_shape = values == nullptr || values->shape == header.dims;
    if (!same_shape) {
        Bytes packed, field;
        for (const auto extent : values->shape) put_varint(packed, extent);
        put_tag(field, tensor::dims, Wire::bytes);
        put_varint(field, packed.size());
        field.insert(field.end(), packed.begin(), packed.end());
        out.put(std::move(field));
    }
    Fields fields(walk_.input, message, tensor::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        switch (field->number) {
            case tensor::dims:
                if (same_shape) out.keep(*field);
                break;
            case tensor::float_data:
            case tensor::int32_data:
            case tensor::int64_data:
            case tensor::raw_data:
            case tensor::double_data:
            case tensor::uint64_data:
            case tensor::external_data:
            case tensor::data_location:
                break;
            default:
                out.keep(*field);
        }
    }
    Bytes head;
    put_tag(head, tensor::raw_data, Wire::bytes);
    put_varint(head, data.size());
    out.put(std::move(head));
    out.put(std::move(data));
    return out;
}

// The data of a tensor that is written: the new ones, or those of its external file.
Result<Bytes> Rewriter::elements(const TensorHeader& header, const NewValues* values) {
    MODELSEAL_TRY_ASSIGN(const auto located, locate_tensor(walk_, header, header.name));
    if (!located) return internal(header.name, "is of strings, which cannot be written");
    if (values != nullptr) {
        std::uint64_t count = 0, needed = 0;
        if (!util::element_count(values->shape, count) || !storage_bytes(located->dtype, count, needed) ||
            needed != values->bytes.size()) {
            return internal(header.name, "has new values of another size");
        }
    }
    std::uint64_t bytes = values == nullptr ? 0 : values->bytes.size();
    if (values == nullptr && !located->segments.empty()) bytes = located->segments.front().bytes;
    if (!util::checked_add(fresh_, bytes, fresh_)) return check_size(~std::uint64_t{0}).error();
    MODELSEAL_TRY(check_size(fresh_));
    if (values != nullptr) return values->bytes;
    Bytes data(static_cast<std::size_t>(bytes));
    if (data.empty()) return data;
    const auto location =
        std::ranges::find(header.external, "location", [](const auto& pair) { return pair.first; });
    MODELSEAL_TRY(external_(location->second, located->segments.front().offset, data));
    return data;
}

Result<Pieces> Rewriter::value(Range message, const Extents& extents) {
    const auto shape = [&](const Field& field, Pieces& out) -> Result<void> {
        if (field.number == tensor_type::shape) {
            return nested(field, out, [&](Range payload) { return dimensions(payload, extents); });
        }
        out.keep(field);
        return {};
    };
    const auto type = [&](const Field& field, Pieces& out) -> Result<void> {
        if (field.number == type::tensor_type) {
            return nested(field, out,
                          [&](Range payload) { return each_field(payload, tensor_type::kMessage, shape); });
        }
        out.keep(field);
        return {};
    };
    return each_field(message, value_info::kMessage, [&](const Field& field, Pieces& out) -> Result<void> {
        if (field.number == value_info::type) {
            return nested(field, out, [&](Range payload) { return each_field(payload, type::kMessage, type); });
        }
        out.keep(field);
        return {};
    });
}

Result<Pieces> Rewriter::dimensions(Range message, const Extents& extents) {
    std::size_t axis = 0;
    return each_field(message, shape::kMessage, [&](const Field& dimension, Pieces& out) -> Result<void> {
        const auto extent = dimension.number == shape::dim ? extents.find(axis++) : extents.end();
        if (extent == extents.end()) {
            out.keep(dimension);
            return {};
        }
        const auto replace = [&](const Field& field, Pieces& inner) -> Result<void> {
            if (field.number != dimension::value || field.value == extent->second) {
                inner.keep(field);
                return {};
            }
            Bytes fresh;
            put_tag(fresh, dimension::value, Wire::varint);
            put_varint(fresh, extent->second);
            inner.put(std::move(fresh));
            return {};
        };
        return nested(dimension, out,
                      [&](Range payload) { return each_field(payload, dimension::kMessage, replace); });
    });
}

// The first field of this number, a text; empty if there is none.
Result<std::string> Rewriter::text_of(Range message, const Message& rules, std::uint32_t number) {
    std::string text;
    Fields fields(walk_.input, message, rules);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return text;
        if (field->number != number) continue;
        MODELSEAL_TRY(walk_.read_name(*field, "a name", text));
        return text;
    }
}

Result<const NewValues*> Rewriter::new_values(const std::string& name, std::uint64_t offset) {
    const auto values = changes_.tensors.find(name);
    if (values == changes_.tensors.end()) return static_cast<const NewValues*>(nullptr);
    MODELSEAL_TRY(walk_.add_distinct(found_, name, "tensor", offset));
    return &values->second;
}

}  // namespace

Result<std::vector<std::byte>> rewrite(const Source& source, const Changes& changes,
                                       const ReadExternal& external, std::uint64_t most, const Limits& limits) {
    return Rewriter(source, changes, external, most, limits).run();
}

}  // namespace modelseal::formats::onnx

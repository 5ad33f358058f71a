
#include "tests/torch/onnx_case.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "formats/protobuf.h"
#include "formats/reader.h"
#include "tests/support/files.h"
#include "tests/support/models/proto_builder.h"
#include "torch/onnx/value.h"

namespace modelseal::test {

namespace {

using formats::onnx::ValueKind;

using libtorch::onnx::Value;

constexpr std::uint64_t kMaxBytes = 1u << 30;
constexpr std::uint64_t kTensorAttribute = 4;  // AttributeProto.AttributeType

[[noreturn]] void fail(const Error& error) {
    throw std::runtime_error(error.message);
}

// A TensorProto alone is no model: it is read as the value of a model's one Constant.
Value tensor_of(std::span<const std::byte> bytes) {
    const auto proto = Proto().raw({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const auto attribute = Proto().bytes(1, "value").message(5, proto).varint(20, kTensorAttribute);
    const auto node = Proto().bytes(2, "out").bytes(4, "Constant").message(5, attribute);
    const auto text = Proto().varint(1, 8).message(7, Proto().message(1, node)).text();
    auto source = std::make_unique<formats::MemorySource>("test data", std::as_bytes(std::span(text)));
    const auto program = formats::onnx::read_program(*source);
    if (!program) fail(program.error());
    const auto& constant = program->graph.nodes.at(0).attributes.at(0).tensors.at(0);
    model::Model model;
    model.files.push_back({{}, std::move(source), {}});
    auto value = libtorch::onnx::load_constant(constant, model, kMaxBytes);
    if (!value) fail(value.error());
    return std::move(value).value();
}

// SequenceProto and OptionalProto keep tensors in field 3, sequences in 5 and optionals in 7.
Value items_of(std::span<const std::byte> bytes, ValueKind kind) {
    const formats::MemorySource source("test data", bytes);
    formats::protobuf::Input input(source);
    static constexpr formats::protobuf::Message kAny = {"items", {}};
    formats::protobuf::Fields fields(input, {0, bytes.size()}, kAny);
    std::vector<Value> items;
    for (;;) {
        const auto field = fields.next();
        if (!field) fail(field.error());
        if (!field->has_value()) break;
        const auto& payload = (*field)->payload;
        const auto part = bytes.subspan(payload.begin, payload.size());
        if ((*field)->number == 3) items.push_back(tensor_of(part));
        if ((*field)->number == 5) items.push_back(items_of(part, ValueKind::sequence));
        if ((*field)->number == 7) items.push_back(items_of(part, ValueKind::optional));
    }
    return kind == ValueKind::optional ? Value::optional(std::move(items)) : Value::sequence(std::move(items));
}

// Relative and absolute, as ONNX's own runner has them; wider where a type has fewer digits.
std::pair<double, double> tolerances(DType type) {
    if (type == DType::f16) return {1e-2, 1e-3};
    if (type == DType::bf16) return {2e-2, 1e-2};
    return {1e-3, 1e-6};
}

std::string shown(at::IntArrayRef shape) {
    return fmt::format("({})", fmt::join(shape.begin(), shape.end(), ", "));
}

std::string tensor_difference(const Value& got, const Value& expected, double slack) {
    if (got.type != expected.type) {
        return fmt::format("is of {}, not {}", info(got.type).name, info(expected.type).name);
    }
    if (got.tensor.scalar_type() != libtorch::onnx::computed_in(got.type)) return "is computed in another type";
    if (got.tensor.sizes() != expected.tensor.sizes()) {
        return fmt::format("has the shape {}, not {}", shown(got.tensor.sizes()),
                           shown(expected.tensor.sizes()));
    }
    const auto [relative, absolute] = tolerances(got.type);
    const auto a = got.tensor.to(at::kDouble), b = expected.tensor.to(at::kDouble);
    if (libtorch::onnx::is_real(got.type) ? at::allclose(a, b, relative, std::max(absolute, slack), true)
                                          : at::equal(a, b))
        return {};
    const auto off = at::nan_to_num((a - b).abs());
    return fmt::format("differs by {} of {}", off.max().item<double>(),
                       at::nan_to_num(b.abs()).max().item<double>());
}

}  // namespace

Value read_value(const std::filesystem::path& path, ValueKind kind) {
    const auto bytes = load(path);
    return kind == ValueKind::sequence || kind == ValueKind::optional ? items_of(bytes, kind)
                                                                      : tensor_of(bytes);
}

std::string difference(const Value& got, const Value& expected, double slack) {
    // An optional that holds something and that thing are the same to a caller.
    if (expected.kind == Value::Kind::optional && got.kind != Value::Kind::optional) {
        if (expected.items.empty()) return got.kind == Value::Kind::nothing ? "" : "is something, not nothing";
        return difference(got, expected.items.front(), slack);
    }
    if (got.kind != expected.kind) return "is of another kind";
    switch (got.kind) {
        case Value::Kind::tensor:
            return tensor_difference(got, expected, slack);
        case Value::Kind::text:
            return got.text == expected.text && got.text_shape == expected.text_shape ? "" : "is another text";
        default:
            break;
    }
    if (got.items.size() != expected.items.size()) {
        return fmt::format("has {} items, not {}", got.items.size(), expected.items.size());
    }
    for (std::size_t i = 0; i < got.items.size(); ++i) {
        if (auto found = difference(got.items[i], expected.items[i], slack); !found.empty()) return found;
    }
    return {};
}

// A graph without external data.
Result<model::OnnxFile> onnx_file(const std::filesystem::path& path) {
    MODELSEAL_TRY_ASSIGN(auto source, io::FileSource::open(path, path.string()));
    model::Model files;
    files.files.push_back({path.filename().string(), std::move(source), {}});
    return model::read_onnx_file(std::move(files));
}

Outcome run_case(const std::filesystem::path& folder, double slack) try {
    using Kind = Outcome::Kind;
    const auto outcome_of = [](const Error& error) {
        auto message = error.message;
        if (const auto at = message.find("model.onnx: "); at != message.npos) message = message.substr(at + 12);
        return Outcome{error.kind == ErrorKind::unsupported ? Kind::unsupported : Kind::failed, message};
    };
    auto file = onnx_file(folder / "model.onnx");
    if (!file) return outcome_of(file.error());
    auto opened = libtorch::onnx::Interpreter::open(std::move(file).value(), at::kCPU, kMaxBytes);
    if (!opened) return outcome_of(opened.error());
    auto& interpreter = **opened;
    for (int set = 0; std::filesystem::exists(folder / fmt::format("test_data_set_{}", set)); ++set) {
        const auto data = folder / fmt::format("test_data_set_{}", set);
        // Initializers may be among the inputs with data; they come after the others.
        std::vector<Value> inputs;
        for (std::size_t i = 0; i < interpreter.inputs().size(); ++i) {
            inputs.push_back(read_value(data / fmt::format("input_{}.pb", i), interpreter.inputs()[i]->kind));
        }
        const auto outputs = interpreter.run(std::move(inputs));
        if (!outputs) return outcome_of(outputs.error());
        const auto& declared = interpreter.program().graph.outputs;
        for (std::size_t i = 0; i < outputs->size(); ++i) {
            const auto path = data / fmt::format("output_{}.pb", i);
            const auto found = difference((*outputs)[i], read_value(path, declared[i].kind), slack);
            if (!found.empty()) return {Kind::failed, fmt::format("output {} {}", i, found)};
        }
    }
    return {};
} catch (const std::exception& error) {
    const std::string what = error.what();
    const bool of_type = dynamic_cast<const libtorch::onnx::OperatorError*>(&error) != nullptr ||
                         what.find("elements of ") != what.npos;
    return {of_type ? Outcome::Kind::unsupported : Outcome::Kind::failed, what};
}

}  // namespace modelseal::test

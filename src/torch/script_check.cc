
#include "torch/script_check.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/frontend/lexer.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/serialization/import_read.h>
#include <torch/csrc/jit/serialization/import_source.h>
#include <torch/custom_class.h>

#include "torch/errors.h"
#include "util/checked.h"
#include "util/text.h"

namespace torch::jit {
// Exported, and declared in a header that is not installed (operator_upgraders/upgraders_entry.h).
TORCH_API void populate_upgraders_graph_map();
}  // namespace torch::jit

namespace modelseal::libtorch {
namespace {

using caffe2::serialize::PyTorchStreamReader;
using torch::jit::CompilationUnit;

constexpr std::string_view kCodeFolder = "code/", kCodeSuffix = ".py";
constexpr std::size_t kMostCode = 64u << 20;

Error refused_script(const std::string& name, const std::string& what) {
    return {ErrorKind::unsupported, fmt::format("{}: {}", name, what), {}};
}

// "code/__torch__/net.py" -> "__torch__.net"
std::string module_of(std::string_view record) {
    std::string name(
        record.substr(kCodeFolder.size(), record.size() - kCodeFolder.size() - kCodeSuffix.size()));
    std::ranges::replace(name, '/', '.');
    return name;
}

std::string record_of(std::string name) {
    std::ranges::replace(name, '.', '/');
    return std::string(kCodeFolder) + name + std::string(kCodeSuffix);
}

std::shared_ptr<torch::jit::Source> source_of(PyTorchStreamReader& archive, const std::string& record) {
    const auto [data, size] = archive.getRecord(record);
    return std::make_shared<torch::jit::Source>(std::string(static_cast<const char*>(data.get()), size), record,
                                                1);
}

// As LibTorch's own lexer sees them, so that no spelling hides one.
std::vector<std::string> classes_in(const std::shared_ptr<torch::jit::Source>& source) {
    std::vector<std::string> names;
    torch::jit::Lexer lexer(source);
    while (lexer.cur().kind != torch::jit::TK_EOF) {
        const bool a_class = lexer.next().kind == torch::jit::TK_CLASS_DEF;
        if (a_class && lexer.cur().kind == torch::jit::TK_IDENT) names.push_back(lexer.cur().text());
    }
    return names;
}

Result<void> check_block(const torch::jit::Block& block, const std::string& function, const std::string& name);

Result<void> check_node(const torch::jit::Node& node, const std::string& function, const std::string& name) {
    const std::string operation = node.kind().toQualString();
    if (!is_allowed_operator(operation)) {
        return {{ErrorKind::unsupported,
                 fmt::format("{}: {}: the operator {} is not allowed; nothing was run", name,
                             util::printable(function), util::printable(operation)),
                 kWithoutOperator}};
    }
    for (const auto attribute : node.attributeNames()) {
        const auto kind = node.kindOf(attribute);
        if (kind == torch::jit::AttributeKind::g || kind == torch::jit::AttributeKind::gs) {
            return refused_script(name, fmt::format("{}: {} contains a graph of its own",
                                                    util::printable(function), util::printable(operation)));
        }
    }
    for (const auto* inner : node.blocks()) MODELSEAL_TRY(check_block(*inner, function, name));
    return {};
}

Result<void> check_block(const torch::jit::Block& block, const std::string& function, const std::string& name) {
    for (const auto* node : block.nodes()) MODELSEAL_TRY(check_node(*node, function, name));
    return {};
}

Result<void> check_functions(const CompilationUnit& unit, const std::string& name) {
    for (auto* function : unit.get_functions()) {
        auto* const with_graph = torch::jit::tryToGraphFunction(*function);
        if (with_graph == nullptr) {
            return refused_script(
                name, fmt::format("{}: is not code of the file", util::printable(function->name())));
        }
        MODELSEAL_TRY(check_block(*with_graph->graph()->block(), function->qualname().qualifiedName(), name));
    }
    return {};
}

// The first element and the last lie inside.
bool lies_in_its_storage(const at::Tensor& tensor) {
    if (tensor.numel() == 0) return true;
    std::uint64_t last = static_cast<std::uint64_t>(tensor.storage_offset());
    for (std::int64_t i = 0; i < tensor.dim(); ++i) {
        std::uint64_t step = 0;
        if (tensor.stride(i) < 0 ||
            !util::checked_mul(static_cast<std::uint64_t>(tensor.size(i) - 1),
                               static_cast<std::uint64_t>(tensor.stride(i)), step) ||
            !util::checked_add(last, step, last)) {
            return false;
        }
    }
    std::uint64_t bytes = 0;
    return tensor.storage_offset() >= 0 && util::checked_add(last, 1, last) &&
           util::checked_mul(last, tensor.itemsize(), bytes) && bytes <= tensor.storage().nbytes();
}

Result<void> check_tensor(const at::Tensor& tensor, const std::string& name) {
    if (!tensor.defined()) return {};
    if (tensor.layout() != at::kStrided)
        return refused_script(name, "contains a tensor that is not strided; nothing was run");
    if (!lies_in_its_storage(tensor)) {
        return Error{
            ErrorKind::malformed, fmt::format("{}: a tensor exceeds its storage; nothing was run", name), {}};
    }
    return {};
}

// The table that code refers to by number. Objects in it are LibTorch's own (packed weights of quantized
// layers), whose
// __setstate__ is not code of the file.
std::vector<at::IValue> constants_of(PyTorchStreamReader& archive) {
    if (!archive.hasRecord("constants.pkl")) return {};
    const auto type_of = [](const c10::QualifiedName& name) {
        for (const auto* known : {"__torch__.torch.classes.quantized.", "__torch__.torch.classes.xnnpack."}) {
            if (!name.qualifiedName().starts_with(known)) continue;
            if (const auto type = torch::getCustomClass(name.qualifiedName()))
                return c10::StrongTypePtr(nullptr, type);
            // Builds without XNNPACK lack its classes. In LibTorch's words, which explained() knows.
            throw std::runtime_error("Unknown type name '" + name.qualifiedName() + "'");
        }
        throw std::runtime_error("contains a constant of a class that is not allowed: " + name.qualifiedName());
    };
    const auto load = [](const at::StrongTypePtr& type, at::IValue state) {
        const auto of_class = type.type_->expect<c10::ClassType>();
        auto object = c10::ivalue::Object::create(type, of_class->numAttributes());
        auto* const set_state = of_class->findMethod("__setstate__");
        if (set_state == nullptr) throw std::runtime_error("contains a constant without a state");
        (*set_state)({object, std::move(state)});
        return object;
    };
    const auto table = torch::jit::readArchiveAndTensors("constants", "", "constants/", type_of, load,
                                                         at::Device(at::kCPU), archive);
    return table.toTupleRef().elements().vec();
}

}  // namespace

Result<void> check_operators(PyTorchStreamReader& archive, const std::string& name) {
    if (archive.hasRecord("model.json")) {
        return refused_script(name, "TorchScript from before PyTorch 1.3 is not supported");
    }
    torch::jit::populate_upgraders_graph_map();  // for operators of older versions; load() does the same
    const auto unit = std::make_shared<CompilationUnit>();
    const auto constants = constants_of(archive);
    const torch::jit::SourceImporter importer(
        unit, &constants,
        [&](const std::string& module) -> std::shared_ptr<torch::jit::Source> {
            const auto record = record_of(module);
            return archive.hasRecord(record) ? source_of(archive, record) : nullptr;
        },
        archive.version());
    std::size_t code = 0;
    for (const auto& record : archive.getAllRecords()) {
        if (!record.starts_with(kCodeFolder) || !record.ends_with(kCodeSuffix)) continue;
        const auto source = source_of(archive, record);
        code += source->size();
        if (code > kMostCode)
            return refused_script(name,
                                  fmt::format("has more than {} of code", util::counted(kMostCode, "byte")));
        for (const auto& one : classes_in(source))
            importer.loadType(c10::QualifiedName(module_of(record) + "." + one));
    }
    return check_functions(*unit, name);
}

Result<void> check_loaded(const torch::jit::Module& module, const std::string& name) {
    MODELSEAL_TRY(check_functions(*module._ivalue()->compilation_unit(), name));
    for (const auto& value : module.attributes(true)) {
        if (value.isTensor()) MODELSEAL_TRY(check_tensor(value.toTensor(), name));
    }
    return {};
}

}  // namespace modelseal::libtorch

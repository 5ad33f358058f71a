#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <caffe2/serialize/read_adapter_interface.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/csrc/jit/serialization/export.h>
#include <torch/script.h>

#include "formats/zip.h"
#include "torch/errors.h"
#include "torch/input_parts.h"
#include "torch/module_network.h"
#include "torch/script_check.h"
#include "util/text.h"

namespace modelseal::libtorch {
namespace {

// What a file has besides its module.
struct Archive {
    torch::jit::ExtraFilesMap extra;
    bool has_bytecode = false;  // for the lite interpreter
    bool quantized = false;     // its code names quantized operators
    std::uint64_t most = 0;     // bytes of a file that is written
};

class TorchScript final : public ModuleNetwork {
  public:
    static Result<std::unique_ptr<oracle::Network>> open(const torch::jit::Module& module, Archive archive,
                                                         std::string name, oracle::InputShape input,
                                                         c10::Device device, unsigned threads) {
        std::unique_ptr<TorchScript> network(
            new TorchScript(module, std::move(archive), std::move(name), std::move(input), device, threads));
        MODELSEAL_TRY(network->place());
        return std::unique_ptr<oracle::Network>(std::move(network));
    }

  protected:
    std::string engine() const override {
        return archive_.quantized
                   ? fmt::format("TorchScript, quantized by {}", toString(at::globalContext().qEngine()))
                   : "TorchScript";
    }

    at::Tensor forward(const at::Tensor& input) override {
        // The optimizing executor rewrites a graph once it has seen it run, and with it the rounding.
        const torch::jit::GraphOptimizerEnabledGuard as_written(false);
        const auto output = module_.forward(this->input().parts.empty() ? std::vector<c10::IValue>{input}
                                                                        : arguments_of(input));
        std::vector<at::Tensor> tensors;
        collect_tensors(output, tensors);
        if (!this->input().parts.empty()) return all_of(tensors);
        if (const auto chosen = chosen_of(tensors, input.size(0)); chosen.defined()) return chosen;
        throw Refused({ErrorKind::unsupported,
                       fmt::format("{}: the output is not that of a classifier: {}", name(),
                                   util::printable(output.type()->repr_str())),
                       {}});
    }

    void for_each_parameter(const std::function<void(at::Tensor&)>& visit) override {
        for (const auto& value : module_.attributes(true)) {
            if (!value.isTensor()) continue;
            auto tensor = value.toTensor();
            if (tensor.defined()) visit(tensor);
        }
    }

    void to(c10::Device device) override {
        const at::NoGradGuard no_gradients;
        for_each_parameter([&](at::Tensor& tensor) {
            if (tensor.device() != device) tensor.set_data(tensor.detach().to(device));
        });
    }

    // Parameters are trained; buffers, and attributes that are tensors, are not.
    Result<std::vector<Weight>> weights() override {
        std::set<const void*> parameters;
        for (const auto& parameter : module_.parameters(true))
            parameters.insert(parameter.unsafeGetTensorImpl());
        // The same numbers under several names (tied weights) are one weight.
        using Place = std::tuple<const void*, std::vector<std::int64_t>, std::vector<std::int64_t>>;
        std::map<Place, std::size_t> places;
        std::set<const void*> seen;
        std::vector<Weight> weights;
        for (const auto& [name, value] : module_.named_attributes(true)) {
            if (!value.isTensor()) continue;
            const auto tensor = value.toTensor();
            if (!tensor.defined() || !tensor.is_floating_point() || tensor.is_sparse() || tensor.numel() == 0 ||
                !seen.insert(tensor.unsafeGetTensorImpl()).second) {
                continue;
            }
            const Place place{tensor.data_ptr(), tensor.sizes().vec(), tensor.strides().vec()};
            const auto [at, fresh] = places.emplace(place, weights.size());
            if (fresh) weights.push_back({name, {}});
            auto& weight = weights[at->second];
            weight.tensors.push_back(tensor);
            weight.trained |= parameters.contains(tensor.unsafeGetTensorImpl());
        }
        return weights;
    }

    Result<std::vector<std::byte>> file(const std::vector<Weight>&) override {
        const AsLoaded as_loaded(*this);
        std::vector<std::byte> bytes;
        const auto write = [&](const void* from, std::size_t count) {
            if (count > archive_.most - bytes.size()) {
                throw Refused({ErrorKind::unsupported,
                               fmt::format("{}: the new file would have more than {}", name(),
                                           util::counted(archive_.most, "byte")),
                               {}});
            }
            const auto* first = static_cast<const std::byte*>(from);
            bytes.insert(bytes.end(), first, first + count);
            return count;
        };
        torch::jit::ExportModule(module_, write, archive_.extra, archive_.has_bytecode);
        return bytes;
    }

  private:
    TorchScript(const torch::jit::Module& module, Archive archive, std::string name, oracle::InputShape input,
                c10::Device device, unsigned threads)
        : ModuleNetwork(std::move(name), std::move(input), input.parts.empty() ? 0 : 1, device, threads),
          module_(module),
          archive_(std::move(archive)),
          device_(device) {
        for_each_parameter([&](at::Tensor& tensor) {
            if (tensor.requires_grad()) differentiable_.push_back(tensor);
        });
    }

    // The module as a file states it: on the CPU, its parameters marked as such.
    class AsLoaded {
      public:
        explicit AsLoaded(TorchScript& network) : network_(network) {
            network_.to(c10::kCPU);
            for (auto& tensor : network_.differentiable_) tensor.set_requires_grad(true);
        }
        ~AsLoaded() {
            for (auto& tensor : network_.differentiable_) tensor.set_requires_grad(false);
            try {
                network_.to(network_.device_);
            } catch (const std::exception&) {
                return;  // the next question fails as well
            }
        }
        AsLoaded(const AsLoaded&) = delete;
        AsLoaded& operator=(const AsLoaded&) = delete;

      private:
        TorchScript& network_;
    };

    // Of a tuple, list or dictionary all tensors, depth first.
    static void collect_tensors(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
        const auto collect_all = [&](const auto& values) {
            for (const c10::IValue& one : values) collect_tensors(one, tensors);
        };
        if (value.isTensor() && value.toTensor().defined()) tensors.push_back(value.toTensor());
        if (value.isTuple()) collect_all(value.toTupleRef().elements());
        if (value.isList()) collect_all(value.toListRef());
        if (value.isGenericDict()) {
            for (const auto& entry : value.toGenericDict()) collect_tensors(entry.value(), tensors);
        }
    }

    // In the order of forward(), numbers where it wants no tensors.
    std::vector<c10::IValue> arguments_of(const at::Tensor& row) const {
        const auto tensors = parts_of(row, input());
        std::vector<c10::IValue> values;
        const auto& arguments = module_.get_method("forward").function().getSchema().arguments();
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            const auto kind = arguments[i + 1].type()->kind();
            if (kind == c10::TypeKind::IntType)
                values.emplace_back(static_cast<std::int64_t>(std::llround(tensors[i].item<double>())));
            else if (kind == c10::TypeKind::FloatType)
                values.emplace_back(tensors[i].item<double>());
            else
                values.emplace_back(tensors[i]);
        }
        return values;
    }

    // Of one set of inputs: every real number belongs to it.
    at::Tensor all_of(const std::vector<at::Tensor>& tensors) const {
        std::vector<at::Tensor> all;
        for (const auto& one : tensors) {
            if (one.is_floating_point() && one.numel() > 0) all.push_back(one.to(at::kFloat).reshape({1, -1}));
        }
        if (all.empty())
            throw Refused({ErrorKind::unsupported, name() + ": has no output of real numbers", {}});
        return joined_rows(all);
    }

    // The first if it is a classifier's row, else all real numbers that belong to an input; undefined if there are none.
    static at::Tensor chosen_of(const std::vector<at::Tensor>& tensors, std::int64_t batch) {
        if (tensors.empty()) return {};
        const auto& first = tensors.front();
        std::vector<at::Tensor> all;
        for (const auto& one : tensors) {
            if (one.is_floating_point() && one.dim() >= 1 && one.size(0) == batch)
                all.push_back(one.to(at::kFloat));
        }
        if (all.size() < 2 || (first.dim() == 2 && first.size(1) >= 2)) return first;
        return joined_rows(all);
    }

    torch::jit::Module module_;
    Archive archive_;
    c10::Device device_;
    std::vector<at::Tensor> differentiable_;  // in the file
};

bool is_code(const formats::ZipEntry& entry) {
    std::string name = entry.name;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name.ends_with(".py") || name.find("/code/") != name.npos;
}

// LibTorch reads through this, so that it sees the descriptor that was checked and no path.
class SourceReader final : public caffe2::serialize::ReadAdapterInterface {
  public:
    explicit SourceReader(const Source& source) : source_(source) {}
    std::size_t size() const override { return static_cast<std::size_t>(source_.size()); }
    std::size_t read(std::uint64_t at, void* into, std::size_t bytes, const char*) const override {
        const auto read = source_.read(at, {static_cast<std::byte*>(into), bytes});
        if (!read.ok()) throw Refused(read.error());
        return bytes;
    }

  private:
    const Source& source_;
};

Result<void> check_unpacked_size(const Source& source, const oracle::NetworkOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto entries, formats::read_zip(source, {}));
    std::uint64_t unpacked = 0;
    for (const auto& entry : entries) {
        if (entry.size > options.max_bytes - unpacked) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: decompresses to more than {}", source.name(),
                                     util::counted(options.max_bytes, "byte")),
                         {}};
        }
        unpacked += entry.size;
    }
    return {};
}

Result<oracle::InputShape> input_of(const torch::jit::Module& module, const std::string& name,
                                    const oracle::NetworkOptions& options) {
    const auto unsupported = [&](const std::string& what, const char* hint = "", Remedy remedy = Remedy::none) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", name, what), hint, remedy};
    };
    const auto forward = module.find_method("forward");
    if (!forward) return unsupported("has no method forward");
    const auto& arguments = forward->function().getSchema().arguments();
    std::vector<std::string> wanted;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (!arguments[i].default_value()) wanted.push_back(util::printable(arguments[i].name()));
    }
    if (!options.input_parts.empty()) return row_of_parts(name, wanted, options.input_parts);
    if (wanted.size() != 1) {
        return unsupported(
            fmt::format("has {} ({})", util::counted(wanted.size(), "input"), fmt::join(wanted, ", ")),
            "give shape and range, or a value, of each input", Remedy::give_inputs);
    }
    if (arguments[1].type()->kind() != c10::TypeKind::TensorType) {
        return unsupported(fmt::format("the input '{}' is of type {}, not a tensor", wanted[0],
                                       util::printable(arguments[1].type()->repr_str())));
    }
    if (options.input_name && *options.input_name != wanted[0]) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: has no input '{}'; its input is '{}'", name,
                                 util::printable(*options.input_name), wanted[0]),
                     {}};
    }
    if (options.input_shape.empty()) {
        return unsupported("TorchScript does not state the shape of its input", "give the shape of the input",
                           Remedy::give_input_shape);
    }
    for (const auto extent : options.input_shape) {
        if (extent < 1) return Error{ErrorKind::usage, fmt::format("the input shape contains {}", extent), {}};
    }
    return oracle::InputShape{wanted[0], options.input_shape};
}

void silence() {
    // print() in TorchScript would write into the program's own output.
    torch::jit::setPrintHandler([](const std::string&) {});
    torch::jit::setTensorExprFuserEnabled(false);
}

// oneDNN takes quantized::linear for the number of inputs alone that it saw first.
void choose_quantizer() {
    auto& context = at::globalContext();
    if (context.qEngine() == at::QEngine::ONEDNN &&
        std::ranges::count(context.supportedQEngines(), at::QEngine::QNNPACK) > 0)
        context.setQEngine(at::QEngine::QNNPACK);
}

bool is_quantized(caffe2::serialize::PyTorchStreamReader& records, const std::string& name) {
    if (!name.starts_with("code/") || !name.ends_with(".py")) return false;
    const auto [data, size] = records.getRecord(name);
    return std::string_view(static_cast<const char*>(data.get()), size).find("ops.quantized.") !=
           std::string_view::npos;
}

}  // namespace

bool looks_like_torchscript(const Source& source) {
    if (!formats::looks_like_zip(source)) return false;
    const auto directory = formats::read_zip_directory(source, {});
    return directory.ok() && std::ranges::any_of(directory->entries, is_code);
}

// Three checks before any code of the file runs: modelseal's own walker over its pickles (LibTorch's
// unpickler trusts their shapes and strides); every class compiled and its operators compared with a list;
// and the result of torch::jit::load: tensors, plain values, classes of the archive's code, of which it runs
// __setstate__ if a class has one (quantized layers pack their weights there). No Python. The loaded module
// is checked again.
Result<std::unique_ptr<oracle::Network>> open_torchscript(const Source& source,
                                                          const oracle::NetworkOptions& options) {
    MODELSEAL_TRY(check_unpacked_size(source, options));
    if (const auto layout = parse_model_file(source); !layout.ok()) return layout.error();
    MODELSEAL_TRY_ASSIGN(const auto device, find_device(options.device));
    const auto reader = std::make_shared<SourceReader>(source);
    silence();
    Archive archive{.extra = {}, .most = options.max_bytes};
    {
        caffe2::serialize::PyTorchStreamReader records(reader);
        MODELSEAL_TRY(check_operators(records, source.name()));
        constexpr std::string_view folder = "extra/";
        for (const auto& record : records.getAllRecords()) {
            if (record.starts_with(folder)) archive.extra.emplace(record.substr(folder.size()), "");
            archive.quantized |= is_quantized(records, record);
        }
        archive.has_bytecode = records.hasRecord("bytecode.pkl");
    }
    choose_quantizer();  // weights are packed for one
    auto module = torch::jit::load(reader, device, archive.extra);
    MODELSEAL_TRY(check_loaded(module, source.name()));
    module.eval();
    MODELSEAL_TRY_ASSIGN(auto input, input_of(module, source.name(), options));
    return TorchScript::open(module, std::move(archive), source.name(), std::move(input), device,
                             options.threads);
}

}  // namespace modelseal::libtorch

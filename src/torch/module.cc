// The one function that the module offers.
#include <fmt/format.h>

#include "formats/leaves.h"
#include "formats/reader.h"
#include "io/file.h"
#include "oracle/network_module.h"
#include "torch/errors.h"
#include "torch/onnx_network.h"
#include "torch/torchscript.h"

namespace modelseal::oracle {
namespace {

constexpr const char* kHint = "give a TorchScript file (torch.jit.save) or an ONNX file";

Result<std::unique_ptr<Network>> open(const std::string& path, const NetworkOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto source, io::FileSource::open(path, formats::printable(path)));
    if (source->size() > options.max_bytes) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: has {} bytes; the limit is {}", source->name(), source->size(), options.max_bytes),
            {}};
    }
    if (looks_like_torchscript(*source)) return open_torchscript(path, *source, options);
    for (const auto& format : all_formats()) {
        if (!format.recognises(*source)) continue;
        if (format.name == "onnx") {
            return open_onnx(path, options);
        }
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: holds weights ({}), but no graph to run", source->name(), format.name),
                     kHint};
    }
    return Error{ErrorKind::unsupported, fmt::format("{}: not a model that can be run", source->name()), kHint};
}

}  // namespace
}  // namespace modelseal::oracle

extern "C" [[gnu::visibility("default")]] void modelseal_open_network_v1(
    const std::string& path, const modelseal::oracle::NetworkOptions& options,
    modelseal::Result<std::unique_ptr<modelseal::oracle::Network>>& opened) {
    using namespace modelseal;
    opened = oracle::guarded(formats::printable(path), [&] { return oracle::open(path, options); });
}

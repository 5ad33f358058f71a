#include "oracle/network.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>

#include "formats/reader.h"
#include "model/model.h"
#include "oracle/network_module.h"

namespace modelseal::oracle {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "libmodelseal_torch.so";
constexpr const char* kHint =
    "install modelseal with its LibTorch module, or name the file in MODELSEAL_TORCH_MODULE";

// Where the module may lie, the likeliest first: where the environment says (and then nowhere else), beside the
// program, where this version was installed.
std::vector<fs::path> places() {
    if (const char* given = std::getenv("MODELSEAL_TORCH_MODULE"); given != nullptr && *given != '\0') {
        return {fs::path(given)};
    }
    std::vector<fs::path> places;
    std::error_code failed;
    const auto program = fs::read_symlink("/proc/self/exe", failed);
    if (!failed) {
        const auto folder = program.parent_path();
        for (const char* beside : {"", "../lib/modelseal", "../" MODELSEAL_LIBRARY_FOLDER "/modelseal"}) {
            places.push_back((folder / beside / kFile).lexically_normal());
        }
    }
    places.emplace_back(MODELSEAL_MODULE_FOLDER "/" + std::string(kFile));
    return places;
}

// OpenMP's threads and OpenBLAS's, each spinning while they wait for work, take the processors from each other:
// one image through a small network on four threads took 300 to 1,000 ms instead of 2. LibTorch shares out the
// work by itself, so OpenBLAS gets one thread, and who waits sleeps. Both read this once, when they are loaded;
// what the user set stays.
void calm_threads() {
    ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
    ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
}

// The module's entry, an OpenNetwork*.
Result<void*> load(const fs::path& file) {
    calm_threads();
    void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
        const char* reason = ::dlerror();
        return Error{ErrorKind::unsupported,
                     fmt::format("the LibTorch module cannot be loaded: {}",
                                 formats::printable(reason != nullptr ? reason : file.string())),
                     kHint};
    }
    // Never unloaded: LibTorch's threads and tables outlive every network.
    void* entry = ::dlsym(module, kNetworkModuleEntry);
    if (entry == nullptr) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: not the LibTorch module of this version", formats::printable(file.string())),
            kHint};
    }
    return entry;
}

Result<void*> find_module() {
    std::string looked;
    for (const auto& place : places()) {
        std::error_code failed;
        if (fs::exists(place, failed)) return load(place);
        looked += (looked.empty() ? "" : ", ") + formats::printable(place.string());
    }
    return Error{ErrorKind::unsupported,
                 fmt::format("running a model needs the LibTorch module, and it is not there: {}", looked),
                 kHint};
}

std::atomic<bool> loaded = false;

}  // namespace

Result<std::unique_ptr<Network>> open_network(const std::string& path, const NetworkOptions& options) {
    static std::mutex mutex;
    static OpenNetwork* module = nullptr;  // a failure is not kept: the module may be installed by then
    {
        const std::lock_guard lock(mutex);
        if (module == nullptr) {
            MODELSEAL_TRY_ASSIGN(void* const entry, find_module());
            module = reinterpret_cast<OpenNetwork*>(entry);
            loaded = true;
        }
    }
    Result<std::unique_ptr<Network>> opened =
        Error{ErrorKind::internal, "the LibTorch module returned nothing", {}};
    module(path, options, opened);
    return opened;
}

Result<std::unique_ptr<Network>> open_network(const Model& model, const NetworkOptions& options) {
    return open_network(model.path.string(), options);
}

}  // namespace modelseal::oracle

#ifdef __SANITIZE_ADDRESS__
// LeakSanitizer asks this at the end. With GCC 12 it crashes on the thread-local storage of LibTorch's threads,
// so it looks for leaks only in processes that did not load LibTorch.
extern "C" int __lsan_is_turned_off() {
    return modelseal::oracle::loaded ? 1 : 0;
}
#endif

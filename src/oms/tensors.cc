
#include "oms/tensors.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "io/threads.h"
#include "model/elements.h"
#include "model/model.h"

namespace modelseal::oms {
namespace {

constexpr std::uint64_t kTensorBlock = 64u << 10;  // elements at a time; a multiple of any group

Result<Bytes> digest_of(const model::Model& model, const Tensor& tensor, Progress& progress) {
    const model::ElementMap map(tensor);
    crypto::Sha256 hash;
    std::vector<std::byte> block;
    for (std::uint64_t done = 0; done < tensor.elements;) {
        const auto count = std::min(kTensorBlock, tensor.elements - done);
        std::uint64_t bytes = 0;
        storage_bytes(tensor.dtype, count, bytes);
        block.resize(bytes);
        MODELSEAL_TRY(map.read(model, done, count, block));
        hash.update(block);
        progress.advance(bytes);
        done += count;
    }
    const auto digest = hash.finish();
    return Bytes(digest.begin(), digest.end());
}

}  // namespace

Result<std::map<std::string, TensorDigests>> digest_tensors(const std::filesystem::path& path, unsigned jobs,
                                                            const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(const auto model, model::open_model(path, limits));
    return digest_tensors(
        model, jobs, [](const Tensor&) { return true; }, no_progress());
}

const std::string& file_of(const model::Model& model, const Tensor& tensor) {
    return model.files[tensor.segments.empty() ? 0 : tensor.segments.front().file].path;
}

Result<std::map<std::string, TensorDigests>> digest_tensors(const model::Model& model, unsigned jobs,
                                                            const TensorChoice& chosen, Progress& progress) {
    std::vector<const Tensor*> largest_first;
    for (const auto& tensor : model.tensors) {
        if (chosen(tensor)) largest_first.push_back(&tensor);
    }
    std::ranges::stable_sort(largest_first, std::ranges::greater(), &Tensor::elements);
    std::vector<Bytes> digests(largest_first.size());
    MODELSEAL_TRY(io::parallel_for(digests.size(), jobs, [&](std::size_t i, unsigned) -> Result<void> {
        auto made = digest_of(model, *largest_first[i], progress);
        if (!made) return std::move(made).error();
        digests[i] = std::move(made).value();
        return {};
    }));
    std::map<std::string, TensorDigests> out;
    for (std::size_t i = 0; i < digests.size(); ++i) {
        const auto& tensor = *largest_first[i];
        out[file_of(model, tensor)][tensor.name] = std::move(digests[i]);
    }
    MODELSEAL_TRY(model.unchanged());
    return out;
}

std::vector<TensorFinding> compare_tensors(const TensorDigests& before, const TensorDigests& now) {
    using Outcome = TensorFinding::Outcome;
    std::vector<TensorFinding> out;
    for (const auto& [name, digest] : before) {
        const auto found = now.find(name);
        if (found != now.end() && found->second == digest) continue;
        out.push_back({.name = name, .outcome = found == now.end() ? Outcome::missing : Outcome::changed});
    }
    for (const auto& [name, digest] : now) {
        if (!before.contains(name)) out.push_back({.name = name, .outcome = Outcome::added});
    }
    std::ranges::stable_sort(out, {}, &TensorFinding::name);
    return out;
}

}  // namespace modelseal::oms

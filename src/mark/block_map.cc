
#include "mark/block_map.h"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <string>

#include "crypto/keystream.h"

namespace modelseal::mark {

void hash_kind(crypto::Sha256& hash, const Tensor& tensor) {
    hash.update_number(static_cast<std::uint64_t>(tensor.dtype)).update_number(tensor.shape.size());
    for (const auto extent : tensor.shape) hash.update_number(extent);
}

crypto::Digest identity(const Tensor& tensor) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 tensor identity").update_text(tensor.name);
    hash_kind(hash, tensor);
    return hash.finish();
}

crypto::Digest place(const Tensor& tensor, std::uint64_t ordinal, std::uint64_t block_elements) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/2 tensor place");
    hash_kind(hash, tensor);
    return hash.update_number(ordinal).update_number(block_elements).finish();
}

BlockMap::BlockMap(std::span<const Tensor> tensors, std::uint64_t block_elements,
                   std::vector<std::uint64_t> ordinals)
    : tensors_(tensors), ordinals_(std::move(ordinals)) {
    for (const auto& tensor : tensors) total_elements_ += tensor.elements;
    // Small models get small blocks, so that there are cells enough for two copies.
    block_elements_ = block_elements != 0 ? block_elements
                                          : std::clamp(std::bit_floor(total_elements_ / 32), kMinBlockElements,
                                                       kMaxBlockElements);
    first_block_.reserve(tensors.size() + 1);
    first_block_.push_back(0);
    for (const auto& tensor : tensors) {
        const auto whole = tensor.elements / block_elements_;
        first_block_.push_back(first_block_.back() + whole + (tensor.elements % block_elements_ != 0 ? 1 : 0));
    }
    if (!ordinals_.empty()) return;
    std::map<TensorKind, std::uint64_t> seen;
    for (const auto& tensor : tensors) ordinals_.push_back(seen[{tensor.dtype, tensor.shape}]++);
}

TensorKeys BlockMap::keys(std::size_t tensor, std::span<const std::byte, 32> secret, Version version) const {
    const auto salt = version == Version::one ? identity(tensors_[tensor])
                                              : place(tensors_[tensor], ordinals_[tensor], block_elements_);
    return tensor_keys(secret, salt, version);
}

std::uint64_t BlockMap::elements_in(std::size_t tensor, std::uint64_t block) const {
    return std::min(block_elements_, tensors_[tensor].elements - block * block_elements_);
}

bool BlockMap::is_host(std::size_t tensor, unsigned carrier_class) const {
    return tensors_[tensor].elements >= kMinHostElements &&
           mark::carrier_class(tensors_[tensor].dtype) <= std::min(carrier_class, kClasses - 1);
}

TensorKeys tensor_keys(std::span<const std::byte, 32> secret, const crypto::Digest& salt, Version version) {
    TensorKeys keys;
    const crypto::Hkdf hkdf(secret, salt);
    const std::string prefix = version == Version::one ? "modelseal/1 " : "modelseal/2 ";
    hkdf.expand(prefix + "blocks", keys.blocks);
    hkdf.expand(prefix + "order", keys.order);
    hkdf.expand(prefix + "whiten", keys.whiten);
    hkdf.expand(prefix + "tag", keys.tag);
    return keys;
}

namespace {

// round(2^16 * 2^(-k / 8)), k = 0..7; whole octaves are shifts.
constexpr std::uint64_t kEighths[] = {65536, 60097, 55109, 50535, 46341, 42495, 38968, 35734};

}  // namespace

std::uint64_t cells_at_rate(std::uint64_t blocks, unsigned step) {
    const auto below = kRateSteps - std::min(step, kRateSteps);
    __extension__ typedef unsigned __int128 Wide;
    const auto scaled = (static_cast<Wide>(blocks) * kEighths[below % 8]) >> (below / 8);
    const auto cells = static_cast<std::uint64_t>((scaled + 0xFFFF) >> 16);
    return std::max<std::uint64_t>(1, std::min(cells, blocks));
}

std::vector<std::uint64_t> cell_blocks(const TensorKeys& keys, std::uint64_t blocks, std::uint64_t count) {
    return crypto::Keystream(keys.blocks, 0).choose(std::min(count, blocks), blocks);
}

CellMap::CellMap(const BlockMap& block_map, std::span<const std::byte, 32> secret, const CellDensity& density,
                 Version version)
    : version_(version) {
    const auto tensors = block_map.tensors();
    host_of_.assign(tensors.size(), kNoHost);
    std::vector<std::uint32_t> hosts;
    std::vector<std::vector<std::uint64_t>> blocks;
    std::size_t deepest = 0, total = 0;
    for (std::size_t tensor = 0; tensor < tensors.size(); ++tensor) {
        if (!block_map.is_host(tensor, density.carrier_class)) continue;
        host_of_[tensor] = static_cast<std::uint32_t>(hosts.size());
        hosts.push_back(static_cast<std::uint32_t>(tensor));
        keys_.push_back(block_map.keys(tensor, secret, version));
        const auto count = block_map.blocks(tensor);
        blocks.push_back(cell_blocks(keys_.back(), count, cells_at_rate(count, density.rate_step)));
        deepest = std::max(deepest, blocks.back().size());
        total += blocks.back().size();
    }
    positions_.reserve(total);
    by_block_.resize(hosts.size());
    for (std::size_t host = 0; host < hosts.size(); ++host) by_block_[host].reserve(blocks[host].size());
    for (std::size_t depth = 0; depth < deepest; ++depth) {
        for (std::size_t host = 0; host < hosts.size(); ++host) {
            if (depth >= blocks[host].size()) continue;
            by_block_[host].push_back(positions_.size());
            positions_.push_back({hosts[host], blocks[host][depth]});
        }
    }
    for (auto& of_host : by_block_)
        std::ranges::sort(of_host, {}, [&](std::size_t cell) { return positions_[cell].block; });
}

std::optional<std::size_t> CellMap::find(std::size_t tensor, std::uint64_t block) const {
    if (host_of_[tensor] == kNoHost) return std::nullopt;
    const auto& of_host = by_block_[host_of_[tensor]];
    const auto block_of = [&](std::size_t cell) { return positions_[cell].block; };
    const auto found = std::ranges::lower_bound(of_host, block, {}, block_of);
    if (found == of_host.end() || block_of(*found) != block) return std::nullopt;
    return *found;
}

}  // namespace modelseal::mark

#include "mark/checking/locate.h"

#include <algorithm>
#include <map>
#include <set>

#include "mark/layout.h"
#include "mark/weight_scan.h"

namespace modelseal::mark {
namespace {

// Cells that are tried in all when the first of each tensor is not valid, because it was damaged. The bound
// keeps a check of a model without a seal fast, however large it is: 4,096 blocks, or one for each host if
// there are more.
constexpr std::uint64_t kMostTries = 4096;
constexpr std::uint64_t kDeepest = 32;
// Of a model whose seal was found, and whose tensors are in other places.
constexpr std::uint64_t kMostReorderings = 65'536;

// Hosts of class 0 first: sealers take the lowest class that has room.
std::vector<std::size_t> hosts_by_class(const BlockMap& block_map) {
    std::vector<std::size_t> hosts;
    for (unsigned carrier_class = 0; carrier_class < kClasses; ++carrier_class) {
        for (std::size_t i = 0; i < block_map.tensors().size(); ++i) {
            if (block_map.is_host(i, carrier_class) &&
                (carrier_class == 0 || !block_map.is_host(i, carrier_class - 1))) {
                hosts.push_back(i);
            }
        }
    }
    return hosts;
}

// What a valid cell says, if this is one. A tag is only as good as the check key is secret, so the content must be
// well-formed as well; what it says is compared with what is signed later (evidence.cc).
std::optional<Located> located_in(const TensorKeys& keys, Version version, DType dtype, std::uint64_t block,
                                  std::span<const std::byte> bytes) {
    for (const auto grid : grids_of(version, dtype)) {
        const auto content = Cell(keys, {version, dtype, grid}, block, bytes).read();
        if (!content) continue;
        if (const auto parsed = parse_content(content->bytes, version))
            return Located{version, parsed->head.density};
    }
    return std::nullopt;
}

// Looks at the cells `from` to `to` of this tensor in its keyed order.
Result<std::optional<Located>> locate_in(const model::Model& model, const BlockMap& block_map, std::size_t host,
                                         std::span<const std::byte, 32> secret, std::uint64_t from,
                                         std::uint64_t to, std::optional<Version> only) {
    std::vector<std::byte> buffer;
    for (const auto version : {Version::two, Version::one}) {
        if (only && version != *only) continue;
        const auto keys = block_map.keys(host, secret, version);
        const auto blocks = cell_blocks(keys, block_map.blocks(host), to);
        for (auto i = from; i < blocks.size(); ++i) {
            MODELSEAL_TRY(read_block(model, block_map, host, blocks[i], buffer));
            const auto found = located_in(keys, version, model.tensors[host].dtype, blocks[i], buffer);
            if (found) return found;
        }
    }
    return std::optional<Located>();
}

std::map<TensorKind, std::vector<std::size_t>> hosts_alike(const BlockMap& block_map) {
    std::map<TensorKind, std::vector<std::size_t>> kinds;
    for (std::size_t i = 0; i < block_map.tensors().size(); ++i) {
        if (block_map.is_host(i, kClasses - 1))
            kinds[{block_map.tensors()[i].dtype, block_map.tensors()[i].shape}].push_back(i);
    }
    return kinds;
}

// The ordinals that a tensor may have had, those near to its own first: as many as there are of its kind, and some
// more if others were removed. They are counted from 0, which is its own, and not listed: there may be as many as
// tensors. Nothing where that would be before the first, or beyond the last.
std::uint64_t count_of_likely(std::uint64_t alike) {
    constexpr std::uint64_t kRemoved = 8;
    return alike + kRemoved;
}
std::optional<std::uint64_t> likely_ordinal(std::uint64_t natural, std::uint64_t alike, std::uint64_t k) {
    const auto away = (k + 1) / 2;
    if (k % 2 == 1) return away <= natural ? std::optional(natural - away) : std::nullopt;
    return natural + away < count_of_likely(alike) ? std::optional(natural + away) : std::nullopt;
}

// What the first cell of a tensor says if it had this ordinal.
Result<std::optional<Located>> located_at(const model::Model& model, const BlockMap& block_map,
                                          std::size_t tensor, std::uint64_t ordinal,
                                          std::span<const std::byte, 32> secret) {
    const auto& described = block_map.tensors()[tensor];
    const auto keys = tensor_keys(secret, place(described, ordinal, block_map.block_elements()), Version::two);
    const auto block = cell_blocks(keys, block_map.blocks(tensor), 1).front();
    std::vector<std::byte> buffer;
    MODELSEAL_TRY(read_block(model, block_map, tensor, block, buffer));
    return located_in(keys, Version::two, described.dtype, block, buffer);
}

// In the place of another tensor of its kind.
Result<std::optional<Located>> locate_misplaced(const model::Model& model, const BlockMap& block_map,
                                                std::span<const std::byte, 32> secret) {
    std::uint64_t tries = 0;
    for (const auto& [kind, alike] : hosts_alike(block_map)) {
        for (const auto tensor : alike) {
            for (std::uint64_t k = 1; k < 2 * count_of_likely(alike.size()); ++k) {
                const auto ordinal = likely_ordinal(block_map.ordinal(tensor), alike.size(), k);
                if (!ordinal) continue;
                if (++tries > kMostTries) return std::optional<Located>();
                MODELSEAL_TRY_ASSIGN(const auto found, located_at(model, block_map, tensor, *ordinal, secret));
                if (found) return found;
            }
        }
    }
    return std::optional<Located>();
}

}  // namespace

// A seal cannot be recognized without its density, and the density stands in the cells. What makes the search
// possible is that the keyed order of a tensor's blocks does not depend on the density: every host has at least
// one cell (cells_at_rate), and it is in the first block of that order. So the first cell of every tensor is
// tried, then more of each; an intact seal answers at once.
Result<std::optional<Located>> locate(const model::Model& model, const BlockMap& block_map,
                                      std::span<const std::byte, 32> secret, Effort effort,
                                      std::optional<Version> only) {
    const auto hosts = hosts_by_class(block_map);
    const auto depth =
        std::clamp(kMostTries / std::max<std::uint64_t>(1, hosts.size()), std::uint64_t{1}, kDeepest);
    const auto [from, to] = effort == Effort::first_cells ? std::pair{std::uint64_t{0}, std::uint64_t{1}}
                                                          : std::pair{std::uint64_t{1}, depth};
    for (const auto host : hosts) {
        MODELSEAL_TRY_ASSIGN(const auto found, locate_in(model, block_map, host, secret, from, to, only));
        if (found) return found;
    }
    if (effort == Effort::first_cells || only == Version::one) return std::optional<Located>();
    return locate_misplaced(model, block_map, secret);
}

namespace {

// A head by chance parses once in some 10,000, and is cheaper to look at than a tag.
Result<bool> shows_at_a_glance(const model::Model& model, const BlockMap& block_map, std::size_t host,
                               std::span<const std::byte, 32> secret) {
    const auto keys = block_map.keys(host, secret, Version::two);
    const auto block = cell_blocks(keys, block_map.blocks(host), 1).front();
    std::vector<std::byte> buffer;
    MODELSEAL_TRY(read_block(model, block_map, host, block, buffer));
    const Cell cell(keys, {Version::two, model.tensors[host].dtype, Grid::own}, block, buffer);
    if (cell.capacity() < kTagBytes + kHeadBytes) return false;
    const auto opening = cell.opening(kTagBytes + kHeadBytes);
    if (!parse_head(std::span(opening).subspan<kTagBytes, kHeadBytes>())) return false;
    return located_in(keys, Version::two, model.tensors[host].dtype, block, buffer).has_value();
}

// The first cells of a few tensors.
Result<bool> shows_in_few(const model::Model& model, const BlockMap& block_map,
                          std::span<const std::byte, 32> secret) {
    constexpr std::size_t kFew = 4;
    const auto hosts = hosts_by_class(block_map);
    for (std::size_t i = 0; i < std::min(kFew, hosts.size()); ++i) {
        MODELSEAL_TRY_ASSIGN(const auto found, locate_in(model, block_map, hosts[i], secret, 0, 1, {}));
        if (found) return true;
    }
    return false;
}

// In elements: the usual length first, then from the longest on.
std::vector<std::uint64_t> block_lengths(std::uint64_t usual) {
    std::vector<std::uint64_t> lengths = {usual};
    for (auto length = kMaxBlockElements; length >= kMinBlockElements; length /= 2) {
        if (length != usual) lengths.push_back(length);
    }
    return lengths;
}

}  // namespace

Result<bool> shows_seal(const model::Model& model, const BlockMap& block_map,
                        std::span<const std::byte, 32> secret, Sight sight) {
    if (sight == Sight::glance) {
        const auto hosts = hosts_by_class(block_map);
        return hosts.empty() ? Result<bool>(false) : shows_at_a_glance(model, block_map, hosts.front(), secret);
    }
    for (const auto length : block_lengths(block_map.block_elements())) {
        MODELSEAL_TRY_ASSIGN(const bool shown, shows_in_few(model, BlockMap(model.tensors, length), secret));
        if (shown) return true;
    }
    return false;
}

Result<std::optional<FoundSeal>> find_seal(const model::Model& model, std::span<const std::byte, 32> secret) {
    const auto usual = BlockMap(model.tensors).block_elements();
    for (const auto effort : {Effort::first_cells, Effort::further_cells}) {
        for (const auto length : block_lengths(usual)) {
            // Shorter blocks than usual are those of a model that was smaller, and so was not damaged but added to; or
            // those of a seal that keeps to windows.
            const bool likely = length >= usual || length == kWindowedBlock;
            if (effort == Effort::further_cells && !likely) continue;
            auto block_map = std::make_unique<const BlockMap>(model.tensors, length);
            MODELSEAL_TRY_ASSIGN(const auto where, locate(model, *block_map, secret, effort));
            if (where) return std::optional(FoundSeal{std::move(block_map), *where});
        }
    }
    return std::optional<FoundSeal>();
}

Result<std::vector<std::uint64_t>> sealed_ordinals(const model::Model& model, const BlockMap& block_map,
                                                   std::span<const std::byte, 32> secret) {
    std::vector<std::uint64_t> ordinals(block_map.ordinals().begin(), block_map.ordinals().end());
    std::uint64_t tries = 0;
    for (const auto& [kind, alike] : hosts_alike(block_map)) {
        std::set<std::uint64_t> taken;
        std::vector<std::size_t> silent;
        for (const auto tensor : alike) {
            std::optional<std::uint64_t> proven;
            for (std::uint64_t k = 0; k < 2 * count_of_likely(alike.size()); ++k) {
                const auto ordinal = likely_ordinal(block_map.ordinal(tensor), alike.size(), k);
                if (!ordinal || taken.contains(*ordinal)) continue;
                if (++tries > kMostReorderings) break;
                MODELSEAL_TRY_ASSIGN(const auto found, located_at(model, block_map, tensor, *ordinal, secret));
                if (!found) continue;
                proven = ordinal;
                break;
            }
            if (!proven) {
                silent.push_back(tensor);
                continue;
            }
            ordinals[tensor] = *proven;
            taken.insert(*proven);
        }
        std::uint64_t next = 0;
        for (const auto tensor : silent) {
            while (taken.contains(next)) ++next;
            ordinals[tensor] = next++;
        }
    }
    return ordinals;
}

}  // namespace modelseal::mark

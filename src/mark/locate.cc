#include "mark/locate.h"

#include <algorithm>

#include "mark/layout.h"
#include "mark/weight_scan.h"

namespace modelseal::mark {
namespace {

// Cells that are tried in all when the first of each tensor is not valid, because it was damaged. The bound
// keeps a check of a model without a seal fast, however large it is: 4,096 blocks, or one for each host if
// there are more.
constexpr std::uint64_t kMostTries = 4096;
constexpr std::uint64_t kDeepest = 32;

}  // namespace

Result<std::optional<CellDensity>> locate(const model::Model& model, const BlockMap& block_map,
                                          std::span<const std::byte, 32> secret, Effort effort) {
    // Hosts of class 0 first: sealers take the lowest class that has room.
    std::vector<std::size_t> hosts;
    for (unsigned carrier_class = 0; carrier_class < kClasses; ++carrier_class) {
        for (std::size_t i = 0; i < model.tensors.size(); ++i) {
            if (block_map.is_host(i, carrier_class) &&
                (carrier_class == 0 || !block_map.is_host(i, carrier_class - 1))) {
                hosts.push_back(i);
            }
        }
    }
    const auto depth =
        std::clamp(kMostTries / std::max<std::uint64_t>(1, hosts.size()), std::uint64_t{1}, kDeepest);
    const auto rounds = effort == Effort::thorough ? 2 : 1;
    std::vector<std::byte> buffer;
    // A seal cannot be recognized without its density, and the density stands in the cells. What makes the
    // search possible is that the keyed order of a tensor's blocks does not depend on the density: every host
    // has at least one cell (cells_at_rate), and it is in the first block of that order. So the first cell of
    // every tensor is tried, then more of each; an intact seal answers at once.
    for (int round = 0; round < rounds; ++round) {
        const std::uint64_t from = round == 0 ? 0 : 1;
        const auto to = round == 0 ? 1 : depth;
        for (const auto host : hosts) {
            const auto& tensor = model.tensors[host];
            const auto keys = tensor_keys(secret, tensor);
            const auto blocks = cell_blocks(keys, block_map.blocks(host), to);
            for (auto i = from; i < blocks.size(); ++i) {
                MODELSEAL_TRY(read_block(model, block_map, host, blocks[i], buffer));
                const auto content = Cell(keys, tensor.dtype, blocks[i], buffer).read();
                if (!content) continue;
                // A tag is only as good as the check key is secret, so the content must be well-formed as well;
                // what it says is compared with what is signed later (evidence.cc).
                if (const auto parsed = parse_content(content->bytes)) {
                    return std::optional(parsed->head.density);
                }
            }
        }
    }
    return std::optional<CellDensity>();
}

}  // namespace modelseal::mark

#include "mark/locate.h"

#include <algorithm>

#include "mark/chart.h"
#include "mark/scan.h"

namespace modelseal::mark {
namespace {

// Cells that are tried in all when the first of each tensor does not answer, because it was damaged.
constexpr std::uint64_t kMostTries = 4096;
constexpr std::uint64_t kDeepest = 32;

}  // namespace

Result<std::optional<Located>> locate(const model::Model& model, const Geometry& geometry,
                                      std::span<const std::byte, 32> secret, Effort effort) {
    std::vector<std::size_t> hosts;
    for (unsigned carrier_class = 0; carrier_class < kClasses; ++carrier_class) {
        for (std::size_t i = 0; i < model.tensors.size(); ++i) {
            if (geometry.is_host(i, carrier_class) &&
                (carrier_class == 0 || !geometry.is_host(i, carrier_class - 1))) {
                hosts.push_back(i);
            }
        }
    }
    const auto depth =
        std::clamp(kMostTries / std::max<std::uint64_t>(1, hosts.size()), std::uint64_t{1}, kDeepest);
    const auto rounds = effort == Effort::thorough ? 2 : 1;
    std::vector<std::byte> buffer;
    // The first cell of every tensor, then the others: an untouched seal answers at once.
    for (int round = 0; round < rounds; ++round) {
        const std::uint64_t from = round == 0 ? 0 : 1;
        const auto to = round == 0 ? 1 : depth;
        for (const auto host : hosts) {
            const auto& tensor = model.tensors[host];
            const auto keys = tensor_keys(secret, tensor);
            const auto blocks = cell_blocks(keys, geometry.blocks(host), to);
            for (auto i = from; i < blocks.size(); ++i) {
                MODELSEAL_TRY(read_block(model, geometry, host, blocks[i], buffer));
                const auto content = Cell(keys, tensor.dtype, blocks[i], buffer).read();
                if (!content) continue;
                if (const auto parsed = parse_content(content->bytes)) {
                    return std::optional(Located{parsed->head.carrier_class, parsed->head.rate_step});
                }
            }
        }
    }
    return std::optional<Located>();
}

}  // namespace modelseal::mark

#include "mark/plan.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "io/threads.h"
#include "mark/scan.h"

namespace modelseal::mark {
namespace {

// Content bytes that a dense cell offers to payload, its heads taken off.
constexpr std::uint64_t kUsefulBytes = kCellValues / 8 - kTagBytes - 10;

// Share of the weights that cells may take for the sake of the directory, which is a comfort: without it a
// missing tensor is noticed but not named. Small models pay more, for they have less to lose.
constexpr std::uint64_t kLargeModelElements = 1'000'000;
constexpr double kDirectoryShareLarge = 0.012;
constexpr double kDirectoryShareSmall = 0.10;

class Planner {
  public:
    Planner(const Model& model, const Geometry& geometry, std::span<const std::byte, 32> secret, unsigned jobs)
        : model_(model), geometry_(geometry), secret_(secret), jobs_(jobs) {}

    // The sparsest plan for this part, with or without a directory as it says.
    Result<std::optional<SealPlan>> sparsest(SignedPart part) const {
        for (part.carrier_class = 0; part.carrier_class < kClasses; ++part.carrier_class) {
            for (part.rate_step = 0; part.rate_step <= kRateSteps; ++part.rate_step) {
                if (!may_fit(part)) continue;
                CellMap cells(geometry_, secret_, part.carrier_class, part.rate_step);
                MODELSEAL_TRY_ASSIGN(const auto capacities, survey(cells));
                choose_tables(part, cells, capacities);
                const auto values = check_values(part);
                auto arrangement = arrange(geometry_, cells, capacities, part.in_common_table,
                                           encode(Manifest{part,
                                                           {},
                                                           std::vector<CheckValue>(values - part.files),
                                                           std::vector<CheckValue>(part.files)})
                                               .size());
                if (arrangement)
                    return std::optional(SealPlan{std::move(cells), std::move(*arrangement), part, values});
            }
        }
        return std::optional<SealPlan>();
    }

    // How many bytes of payload two copies come to, at the least.
    std::uint64_t needed(const SignedPart& part) const {
        auto bytes = encode_signed(part, 0).size() + sizeof(SignatureBytes) + 4 * part.files;
        return 2 * (bytes + 4 * geometry_.total_blocks());
    }

  private:
    bool may_fit(const SignedPart& part) const {
        std::uint64_t offered = 0;
        for (std::size_t tensor = 0; tensor < geometry_.tensors().size(); ++tensor) {
            if (!geometry_.is_host(tensor, part.carrier_class)) continue;
            offered += cells_at_rate(geometry_.blocks(tensor), part.rate_step) * kUsefulBytes;
        }
        return offered >= needed(part);
    }

    Result<std::vector<std::uint32_t>> survey(const CellMap& cells) const {
        const auto sites = cells.sites();
        std::vector<std::uint32_t> capacities(sites.size());
        const auto look = [&](std::size_t i, unsigned) -> Result<void> {
            std::vector<std::byte> buffer;
            const auto [tensor, block] = sites[i];
            MODELSEAL_TRY(read_block(model_, geometry_, tensor, block, buffer));
            const Cell cell(cells.keys(tensor), model_.tensors[tensor].dtype, block, buffer);
            capacities[i] = static_cast<std::uint32_t>(cell.capacity());
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(sites.size(), jobs_, look));
        return capacities;
    }

    void choose_tables(SignedPart& part, const CellMap& cells,
                       std::span<const std::uint32_t> capacities) const {
        std::vector<std::uint64_t> filled(geometry_.tensors().size());
        for (std::size_t i = 0; i < capacities.size(); ++i)
            filled[cells.sites()[i].tensor] += capacities[i] != 0;
        part.in_common_table.assign(filled.size(), true);
        for (std::size_t tensor = 0; tensor < filled.size(); ++tensor) {
            if (geometry_.blocks(tensor) >= kOwnTableBlocks && filled[tensor] >= 2)
                part.in_common_table[tensor] = false;
        }
    }

    std::size_t check_values(const SignedPart& part) const {
        std::size_t values = part.files;
        for (std::size_t tensor = 0; tensor < part.in_common_table.size(); ++tensor) {
            if (part.in_common_table[tensor]) values += geometry_.blocks(tensor);
        }
        return values;
    }

    const Model& model_;
    const Geometry& geometry_;
    std::span<const std::byte, 32> secret_;
    unsigned jobs_;
};

// Values that the cells of a plan may touch.
std::uint64_t values_taken(const SealPlan& plan) {
    std::uint64_t bits = 0;
    for (const auto& place : plan.arrangement.places) bits += std::uint64_t{8} * place.capacity;
    return plan.part.carrier_class == kFloats
               ? bits
               : bits / 2;  // a wavelet spreads a bit, a lowest bit stays as often
}

Error too_small(const Model& model, const Geometry& geometry, std::uint64_t needed_bytes) {
    std::uint64_t able = 0;
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
        if (geometry.is_host(i, kClasses - 1)) able += model.tensors[i].elements;
    }
    const auto cells = std::max<std::uint64_t>(2, (needed_bytes + kUsefulBytes - 1) / kUsefulBytes);
    return {
        ErrorKind::unsupported,
        fmt::format(
            "{}: too small to carry a mark: it has {} non-zero weights in tensors that may carry, about {} are "
            "needed",
            model.path.string(), able, cells * kCellValues),
        "a mark lives in floating-point or quantised weights, in tensors of at least 384; sign such a file "
        "with a "
        "detached signature instead"};
}

}  // namespace

std::optional<Arrangement> arrange(const Geometry& geometry, const CellMap& cells,
                                   std::span<const std::uint32_t> capacities,
                                   const std::vector<bool>& in_common_table, std::size_t manifest_bytes) {
    Arrangement made;
    for (std::size_t i = 0; i < capacities.size(); ++i) {
        if (capacities[i] == 0) continue;
        made.places.push_back({cells.sites()[i].tensor, cells.sites()[i].block, capacities[i]});
        made.sites.push_back(i);
    }
    for (std::size_t tensor = 0; tensor < in_common_table.size(); ++tensor) {
        made.own_blocks.push_back(in_common_table[tensor] ? 0 : geometry.blocks(tensor));
    }
    auto chart = Chart::draw(made.places, made.own_blocks, manifest_bytes);
    if (!chart) return std::nullopt;
    made.chart = std::move(*chart);
    return made;
}

Result<SealPlan> plan_seal(const Model& model, const Geometry& geometry, std::span<const std::byte, 32> secret,
                           const SignedPart& wanted, unsigned jobs) {
    const Planner planner(model, geometry, secret, jobs);
    auto part = wanted;
    part.tensors = static_cast<std::uint32_t>(model.tensors.size());
    part.files = static_cast<std::uint32_t>(model.files.size());
    part.in_common_table.assign(model.tensors.size(), false);
    part.directory.clear();
    MODELSEAL_TRY_ASSIGN(auto bare, planner.sparsest(part));
    if (!bare) return too_small(model, geometry, planner.needed(part));

    part.directory = encode_directory(model.tensors);
    MODELSEAL_TRY_ASSIGN(auto with_directory, planner.sparsest(part));
    const auto large = geometry.total_elements() >= kLargeModelElements;
    const auto allowed =
        static_cast<double>(geometry.total_elements()) * (large ? kDirectoryShareLarge : kDirectoryShareSmall);
    const bool affordable = with_directory && with_directory->part.carrier_class == bare->part.carrier_class &&
                            static_cast<double>(values_taken(*with_directory)) <= allowed;
    return affordable ? std::move(*with_directory) : std::move(*bare);
}

}  // namespace modelseal::mark

#include "mark/embed.h"

#include <atomic>

#include <fmt/format.h>

#include "formats/bytes.h"
#include "io/threads.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

using formats::ByteWriter;

std::uint64_t count_differences(std::span<const std::byte> a, std::span<const std::byte> b, std::size_t width) {
    std::uint64_t count = 0;
    for (std::size_t at = 0; at + width <= a.size(); at += width) {
        count += std::ranges::equal(a.subspan(at, width), b.subspan(at, width)) ? 0 : 1;
    }
    return count;
}

// Writes contents into cells, choosing for each the first whitening that its values bear. A choice is signed,
// so it changes the signature and with it what some other cells hold: rounds go on until nothing changes any
// more.
class Embedder {
  public:
    Embedder(const model::Model& model, const Geometry& geometry, const SealPlan& plan,
             model::ModelOutput& output)
        : model_(model), geometry_(geometry), plan_(plan), output_(output) {
        const auto count = plan.arrangement.places.size();
        attempts_.resize(count);
        written_.resize(count);
        touched_.resize(count);
        overwritten_.resize(count);
    }

    // True if some cell moved on to another attempt, which asks for another round.
    Result<bool> round(std::vector<std::vector<std::byte>> wanted, unsigned jobs) {
        std::atomic<bool> moved = false;
        const auto write_place = [&](std::size_t i, unsigned) -> Result<void> {
            if (wanted[i] == written_[i]) return {};
            const auto before = attempts_[i];
            MODELSEAL_TRY(write(i, wanted[i]));
            if (attempts_[i] != before) moved = true;
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(wanted.size(), jobs, write_place));
        written_ = std::move(wanted);
        return moved.load();
    }

    void record_attempts(Scan& scan) const {
        for (std::size_t i = 0; i < attempts_.size(); ++i) {
            scan.readings[plan_.arrangement.sites[i]].attempt = attempts_[i];
        }
    }

    std::vector<Overwritten> take_overwritten() { return std::move(overwritten_); }
    std::uint64_t touched() const {
        std::uint64_t sum = 0;
        for (const auto count : touched_) sum += count;
        return sum;
    }

  private:
    Result<void> write(std::size_t i, std::span<const std::byte> content) {
        const auto& place = plan_.arrangement.places[i];
        const auto& tensor = model_.tensors[place.tensor];
        std::vector<std::byte> block;
        MODELSEAL_TRY(read_block(model_, geometry_, place.tensor, place.block, block));
        const Cell cell(plan_.cells.keys(place.tensor), tensor.dtype, place.block, block);
        if (cell.capacity() != place.capacity) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: tensor '{}' changed while it was being sealed",
                                     util::printable(model_.path.string()), util::printable(tensor.name)),
                         {}};
        }
        for (; attempts_[i] < kAttempts; ++attempts_[i]) {
            const auto sealed = cell.write(content, attempts_[i]);
            if (!sealed) continue;
            if (overwritten_[i].bits.empty())
                overwritten_[i] = {place.tensor, place.block, cell.carrier_bits()};
            touched_[i] = count_differences(
                block, *sealed, info(tensor.dtype).group_elements == 1 ? info(tensor.dtype).group_bytes : 1);
            return output_.write_elements(tensor, place.block * geometry_.block_elements(),
                                          geometry_.elements_in(place.tensor, place.block), *sealed);
        }
        return Error{
            ErrorKind::unsupported,
            fmt::format(
                "{}: tensor '{}': the values from element {} on are too near to the end of their range to "
                "carry a mark",
                util::printable(model_.path.string()), util::printable(tensor.name),
                place.block * geometry_.block_elements()),
            {}};
    }

    const model::Model& model_;
    const Geometry& geometry_;
    const SealPlan& plan_;
    model::ModelOutput& output_;
    std::vector<std::uint8_t> attempts_;
    std::vector<std::vector<std::byte>> written_;
    std::vector<std::uint64_t> touched_;
    std::vector<Overwritten> overwritten_;
};

}  // namespace

std::vector<CheckValue> common_table(const SignedPart& part, const Geometry& geometry,
                                     std::span<const CheckValue> checks) {
    std::vector<CheckValue> table;
    for (std::size_t tensor = 0; tensor < part.in_common_table.size(); ++tensor) {
        if (!part.in_common_table[tensor]) continue;
        const auto own = checks.subspan(geometry.first_block(tensor), geometry.blocks(tensor));
        table.insert(table.end(), own.begin(), own.end());
    }
    return table;
}

CellHead head_of(const Arrangement& arrangement, const SignedPart& part, std::size_t manifest_bytes) {
    return {part.rate_step, part.carrier_class, static_cast<std::uint32_t>(manifest_bytes),
            static_cast<unsigned>(arrangement.chart.piece_bytes())};
}

std::vector<std::vector<std::byte>> contents(const Geometry& geometry, const Arrangement& arrangement,
                                             const SignedPart& part, std::span<const CheckValue> checks,
                                             std::span<const std::byte> manifest) {
    const auto head = head_of(arrangement, part, manifest.size());
    std::vector<std::vector<std::byte>> made;
    made.reserve(arrangement.places.size());
    for (std::size_t i = 0; i < arrangement.places.size(); ++i) {
        const auto& place = arrangement.places[i];
        const auto own = checks.subspan(geometry.first_block(place.tensor), geometry.blocks(place.tensor));
        made.push_back(
            cell_content(place.capacity - kTagBytes, head, arrangement.chart.records(i), own, manifest));
    }
    return made;
}

Result<void> renew_checksums(const model::Model& model, const FrameScan& frame, unsigned jobs,
                             model::ModelOutput& output) {
    const auto renew = [&](std::size_t i, unsigned) -> Result<void> {
        const auto& state = frame.checksums[i];
        if (!state.right) return {};
        const auto& checksum = model.files[state.file].checksums[state.index];
        MODELSEAL_TRY_ASSIGN(const auto crc,
                             crc32_of(output.file(state.file), checksum.offset, checksum.bytes));
        const auto bytes = ByteWriter().number(crc).take();
        for (const auto field : checksum.fields) MODELSEAL_TRY(output.write(state.file, field, bytes));
        return {};
    };
    return io::parallel_for(frame.checksums.size(), jobs, renew);
}

Result<Embedded> embed(const model::Model& model, const SealPlan& plan, Scan scan, const FrameScan& frame,
                       const SigningKey& key, unsigned jobs, model::ModelOutput& output) {
    const auto& geometry = *plan.geometry;
    Embedder embedder(model, geometry, plan, output);
    Manifest manifest{plan.part, {}, common_table(plan.part, geometry, scan.checks)};
    manifest.claims.frame = frame.digest;
    for (std::size_t i = 0; i < frame.files.size(); ++i)
        manifest.claims.file_checks[i] = check_value(frame.files[i]);
    for (bool again = true; again;) {
        embedder.record_attempts(scan);
        manifest.claims.weights = weights_root(scan);
        MODELSEAL_TRY_ASSIGN(manifest.signature, sign(key, manifest.claims, plan.common_values));
        const auto bytes = encode(manifest);
        MODELSEAL_TRY_ASSIGN(
            again,
            embedder.round(contents(geometry, plan.arrangement, manifest.claims, scan.checks, bytes), jobs));
    }
    MODELSEAL_TRY(renew_checksums(model, frame, jobs, output));
    const auto touched = embedder.touched();
    const auto head = head_of(plan.arrangement, plan.part, encode(manifest).size());
    return Embedded{std::move(manifest), head, embedder.take_overwritten(), touched};
}

}  // namespace modelseal::mark

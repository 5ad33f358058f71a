#include "mark/sealing/embed.h"

#include <atomic>
#include <functional>

#include <fmt/format.h>

#include "io/threads.h"
#include "mark/sealing/budget.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

std::uint64_t count_differences(std::span<const std::byte> a, std::span<const std::byte> b, std::size_t width) {
    std::uint64_t count = 0;
    for (std::size_t at = 0; at + width <= a.size(); at += width) {
        count += std::ranges::equal(a.subspan(at, width), b.subspan(at, width)) ? 0 : 1;
    }
    return count;
}

// Writes contents into cells, choosing for each the first whitening that its values bear. A choice is signed,
// so it changes the signature and with it what some other cells hold: rounds go on until no attempt changes.
// They end, because the attempt of a cell only ever grows, and stays below kAttempts.
class Embedder {
  public:
    Embedder(const model::Model& model, const BlockMap& block_map, const SealPlan& plan,
             model::ModelOutput& output)
        : model_(model), block_map_(block_map), plan_(plan), output_(output) {
        const auto count = plan.layout.slots().size();
        attempts_.resize(count);
        written_.resize(count);
        touched_.resize(count);
        overwritten_.resize(count);
    }

    // True if some cell moved on to another attempt, which asks for another round. `content` of a slot is called by
    // several threads at once.
    Result<bool> round(const std::function<std::vector<std::byte>(std::size_t slot)>& content, unsigned jobs) {
        std::atomic<bool> moved = false;
        const auto write_slot = [&](std::size_t i, unsigned) -> Result<void> {
            auto wanted = content(i);
            if (wanted == written_[i]) return {};
            const auto before = attempts_[i];
            MODELSEAL_TRY(write(i, wanted));
            if (attempts_[i] != before) moved = true;
            written_[i] = std::move(wanted);
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(written_.size(), jobs, write_slot));
        return moved.load();
    }

    void record_attempts(WeightScan& scan) const {
        for (std::size_t i = 0; i < attempts_.size(); ++i) {
            scan.readings.set_attempt(plan_.layout.slots()[i].cell, attempts_[i]);
        }
    }

    std::vector<OverwrittenCell> take_overwritten() { return std::move(overwritten_); }
    std::uint64_t touched() const {
        std::uint64_t sum = 0;
        for (const auto count : touched_) sum += count;
        return sum;
    }

  private:
    Result<void> write(std::size_t i, std::span<const std::byte> content) {
        const auto& slot = plan_.layout.slots()[i];
        const auto& tensor = model_.tensors[slot.tensor];
        std::vector<std::byte> block;
        MODELSEAL_TRY(read_block(model_, block_map_, slot.tensor, slot.block, block));
        const Cell cell(plan_.cells.keys(slot.tensor),
                        {Version::two, tensor.dtype, plan_.cells.grid(slot.tensor)}, slot.block, block);
        if (cell.capacity() != slot.capacity) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: tensor '{}' changed while it was being sealed",
                                     util::printable(model_.path.string()), util::printable(tensor.name)),
                         {}};
        }
        for (; attempts_[i] < kAttempts; ++attempts_[i]) {
            const auto sealed = cell.write(content, attempts_[i]);
            if (!sealed) continue;
            if (overwritten_[i].bits.empty()) overwritten_[i] = {slot.tensor, slot.block, cell.carrier_bits()};
            touched_[i] = count_differences(
                block, *sealed, info(tensor.dtype).group_elements == 1 ? info(tensor.dtype).group_bytes : 1);
            return output_.write_elements(tensor, slot.block * block_map_.block_elements(),
                                          block_map_.elements_in(slot.tensor, slot.block), *sealed);
        }
        return Error{
            ErrorKind::unsupported,
            fmt::format(
                "{}: tensor '{}': the values from element {} on are too close to the end of their range "
                "to carry a mark",
                util::printable(model_.path.string()), util::printable(tensor.name),
                slot.block * block_map_.block_elements()),
            {}};
    }

    const model::Model& model_;
    const BlockMap& block_map_;
    const SealPlan& plan_;
    model::ModelOutput& output_;
    std::vector<std::uint8_t> attempts_;
    std::vector<std::vector<std::byte>> written_;
    std::vector<std::uint64_t> touched_;
    std::vector<OverwrittenCell> overwritten_;
};

}  // namespace

Result<Embedded> embed(const model::Model& model, const SealPlan& plan, WeightScan scan, const FrameScan& frame,
                       const SigningKey& key, unsigned jobs, model::ModelOutput& output) {
    const auto& block_map = *plan.block_map;
    Embedder embedder(model, block_map, plan, output);
    Manifest manifest{plan.signed_part, {}, common_table(plan.signed_part, block_map, scan.checks)};
    manifest.signed_part.frame = frame.digest;
    for (std::size_t i = 0; i < frame.files.size(); ++i)
        manifest.signed_part.file_checks[i] = check_value(frame.files[i]);
    for (bool again = true; again;) {
        embedder.record_attempts(scan);
        manifest.signed_part.weights = weights_root(scan);
        MODELSEAL_TRY_ASSIGN(manifest.signature, sign(key, manifest.signed_part, plan.common_values));
        const auto bytes = encode(manifest);
        const auto content = [&](std::size_t slot) {
            return content_of(slot, block_map, plan.layout, manifest.signed_part, scan.checks, bytes);
        };
        MODELSEAL_TRY_ASSIGN(again, embedder.round(content, jobs));
    }
    // The plan's estimate is an upper one, so that this does not happen but by rare chance.
    if (embedder.touched() > plan.most) return too_dear(model, embedder.touched(), plan.most);
    MODELSEAL_TRY(renew_checksums(model, frame, jobs, output));
    const auto touched = embedder.touched();
    const auto head = head_of(plan.layout, plan.signed_part, encode(manifest).size());
    return Embedded{std::move(manifest), head, embedder.take_overwritten(), touched};
}

}  // namespace modelseal::mark

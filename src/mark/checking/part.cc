#include "mark/checking/part.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/threads.h"
#include "mark/checking/find_manifest.h"
#include "mark/checking/recovered_checks.h"
#include "model/elements.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

using Outcome = SealFinding::Outcome;
using Cause = SealFinding::Cause;

Error only_complete(const std::string& why) {
    return {ErrorKind::unsupported, why + ": a part of it cannot be checked", "check the complete model"};
}

// What the manifest says, before any tensor is compared. Not signed: what it says is nobody's.
SealFinding described(const model::Model& model, const FoundManifest& found) {
    SealFinding finding{.outcome = Outcome::partial, .scheme = "modelseal"};
    finding.tensors_total = model.tensors.size();
    finding.bytes_total = model.bytes();
    const auto& part = found.read.manifest->signed_part;
    finding.stamp = part.stamp;
    finding.root = to_hex(root(*found.read.manifest));
    finding.stamp_authentic = found.read.accepted;
    if (part.parent) finding.parent = to_hex(*part.parent);
    auto& looked = finding.part.emplace();
    looked.tensors_total = model.tensors.size();
    looked.bytes_total = model.bytes();
    if (!found.read.accepted) {
        finding.outcome = Outcome::tampered;
        finding.cause = Cause::signature;
        finding.weights_intact = false;
        finding.detail = "the signature is not the vendor's: forged, or sealed by someone else";
    }
    return finding;
}

// A run of neighboring blocks of one tensor.
struct Run {
    std::size_t tensor;
    std::uint64_t first, last;
};

class Comparison {
  public:
    Comparison(const model::Model& model, FoundManifest& found, const std::vector<bool>& chosen)
        : model_(model),
          found_(found),
          noted_(found.block_map->total_blocks()),
          changed_(found.block_map->total_blocks()) {
        for (const auto& each : found.read.valid)
            recover_own_table(*found.block_map, found.cells, each.cell, each.content, noted_);
        recover_common_table(*found.block_map, *found.read.manifest, true, noted_);
        constexpr std::uint64_t kRun = 16;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            maps_.emplace_back(model.tensors[i]);
            if (!chosen[i]) continue;
            for (std::uint64_t first = 0; first < found.block_map->blocks(i); first += kRun)
                runs_.push_back({i, first, std::min(first + kRun, found.block_map->blocks(i))});
        }
    }

    Result<void> run(unsigned jobs, Progress& progress) {
        return io::parallel_for(runs_.size(), jobs, [&](std::size_t i, unsigned) -> Result<void> {
            crypto::Sha256 hash;
            std::vector<std::byte> buffer;
            for (auto block = runs_[i].first; block < runs_[i].last; ++block) {
                MODELSEAL_TRY_ASSIGN(changed_[found_.block_map->first_block(runs_[i].tensor) + block],
                                     compare(hash, runs_[i].tensor, block, buffer));
                progress.advance(buffer.size());
            }
            return {};
        });
    }

    // Blocks of which nothing was noted, or whose note did not survive.
    std::uint64_t unknown() const {
        return count([&](std::size_t block) { return !noted_.known(block); });
    }

    TensorFinding describe(std::size_t index) const {
        const auto& tensor = model_.tensors[index];
        const auto& block_map = *found_.block_map;
        TensorFinding out{
            .name = tensor.name, .dtype = std::string(info(tensor.dtype).name), .shape = tensor.shape};
        for (std::uint64_t block = 0; block < block_map.blocks(index); ++block) {
            if (changed_[block_map.first_block(index) + block] != 0)
                out.changed.push_back(
                    {block * block_map.block_elements(), block_map.elements_in(index, block)});
        }
        if (!out.changed.empty()) out.outcome = TensorFinding::Outcome::changed;
        return out;
    }

  private:
    // 1 for a block that is not as sealed. (Not a bool: threads write side by side.)
    Result<char> compare(crypto::Sha256& hash, std::size_t tensor, std::uint64_t block,
                         std::vector<std::byte>& buffer) {
        const auto& block_map = *found_.block_map;
        const auto elements = block_map.elements_in(tensor, block);
        std::uint64_t bytes = 0;
        const auto dtype = model_.tensors[tensor].dtype;
        storage_bytes(dtype, elements, bytes);
        buffer.resize(bytes);
        MODELSEAL_TRY(maps_[tensor].read(model_, block * block_map.block_elements(), elements, buffer));
        crypto::Digest digest;
        bool damaged = false;
        const auto number = found_.cells.find(tensor, block);
        if (number && found_.cells.carries(*number)) {
            const Cell cell(found_.cells.keys(tensor),
                            {found_.cells.version(), dtype, found_.cells.grid(tensor)}, block, buffer);
            digest = cell.digest(hash);
            damaged = cell.capacity() != 0 && !cell.read();
        } else {
            digest = plain_digest(hash, buffer);
        }
        const auto index = block_map.first_block(tensor) + block;
        return char{damaged || (noted_.known(index) &&
                                noted_.values()[index] != check_value(digest, found_.cells.version()))};
    }

    std::uint64_t count(auto holds) const {
        std::uint64_t out = 0;
        for (const auto& run : runs_) {
            const auto first = found_.block_map->first_block(run.tensor);
            for (auto block = first + run.first; block < first + run.last; ++block) out += holds(block) ? 1 : 0;
        }
        return out;
    }

    const model::Model& model_;
    FoundManifest& found_;
    SealedChecks noted_;
    std::vector<char> changed_;
    std::vector<model::ElementMap> maps_;  // one a tensor
    std::vector<Run> runs_;                // of the chosen tensors
};

std::uint64_t bytes_of(const model::Model& model, const std::vector<bool>& chosen) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        std::uint64_t bytes = 0;
        if (chosen[i] && storage_bytes(model.tensors[i].dtype, model.tensors[i].elements, bytes)) sum += bytes;
    }
    return sum;
}

Result<SealFinding> compare_tensors(const model::Model& model, FoundManifest& found,
                                    const std::vector<bool>& chosen, bool all, unsigned jobs,
                                    Progress& progress) {
    auto finding = described(model, found);
    auto& part = *finding.part;
    part.tensors = static_cast<std::uint64_t>(std::ranges::count(chosen, true));
    part.bytes = bytes_of(model, chosen);
    part.bits = static_cast<unsigned>(8 * check_bytes(found.where.version));
    progress.total(part.bytes);
    Comparison comparison(model, found, chosen);
    MODELSEAL_TRY(comparison.run(jobs, progress));
    std::uint64_t changed = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (!chosen[i]) continue;
        auto tensor = comparison.describe(i);
        changed += !tensor.changed.empty();
        if (all || !tensor.changed.empty()) finding.tensors.push_back(std::move(tensor));
    }
    const auto unknown = comparison.unknown();
    if (changed == 0 && unknown > 0) {
        return only_complete(fmt::format("the check values of {} of these tensors did not survive",
                                         util::counted(unknown, "block")));
    }
    if (changed == 0) {
        finding.detail = fmt::format("no change found in {} of {}, the rest was not looked at", part.tensors,
                                     util::counted(part.tensors_total, "tensor"));
        return finding;
    }
    finding.outcome = Outcome::tampered;
    finding.cause = Cause::weights;
    finding.weights_intact = false;
    finding.unknown_blocks = unknown;
    finding.detail = fmt::format("{} of {} changed, the rest was not looked at", changed,
                                 util::counted(part.tensors, "tensor"));
    return finding;
}

}  // namespace

Result<std::optional<SealFinding>> check_part(const model::Model& model, const CheckKey& key,
                                              const ChosenTensor& chosen, bool all, unsigned jobs,
                                              Progress& progress) {
    std::vector<bool> selected;
    for (const auto& tensor : model.tensors) selected.push_back(chosen(tensor.name));
    MODELSEAL_TRY_ASSIGN(auto found, find_manifest(model, key, selected, jobs));
    if (!found) return std::optional<SealFinding>();
    if (!found->read.manifest) return only_complete("too little of the signed part of the seal survived");
    if (!found->read.accepted) return std::optional(described(model, *found));
    const auto& manifest = *found->read.manifest;
    auto use = found->where.version == Version::one ? CellUse() : stated_use(model, found->cells, manifest);
    if (!use || !same_tensors(*found->block_map, manifest.signed_part))
        return only_complete("the list of tensors differs from the sealed one");
    found->cells.set_use(std::move(*use));
    MODELSEAL_TRY_ASSIGN(auto finding, compare_tensors(model, *found, selected, all, jobs, progress));
    return std::optional(std::move(finding));
}

Result<std::optional<SealFinding>> read_stamp(const model::Model& model, const CheckKey& key, unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(auto found, find_manifest(model, key, std::vector<bool>(model.tensors.size()), jobs));
    if (!found) return std::optional<SealFinding>();
    if (!found->read.manifest) return only_complete("too little of the signed part of the seal survived");
    auto finding = described(model, *found);
    if (found->read.accepted) finding.detail = "the vendor signed this stamp; no tensor was compared with it";
    return std::optional(std::move(finding));
}

}  // namespace modelseal::mark

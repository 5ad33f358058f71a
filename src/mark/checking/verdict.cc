#include "mark/checking/verdict.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include <fmt/format.h>

#include "mark/checking/file_changes.h"
#include "mark/checking/renamed.h"

namespace modelseal::mark {
namespace {

struct BitErrors {
    std::uint64_t wrong = 0;
    std::uint64_t compared = 0;
    std::optional<double> rate() const {
        if (compared == 0) return std::nullopt;
        return static_cast<double>(wrong) / static_cast<double>(compared);
    }
};

struct Blame {
    std::vector<BitErrors> bits;                  // one a tensor
    std::vector<std::set<std::uint64_t>> blocks;  // changed ones, one set a tensor
    std::uint64_t unknown = 0;                    // blocks of which no sealed check value survived
    std::vector<bool> unsure;                     // one a tensor: none of any of its blocks survived
};

void blame_by_checks(const BlockMap& block_map, const Evidence& evidence, Blame& blame) {
    for (std::size_t tensor = 0; tensor < block_map.tensors().size(); ++tensor) {
        const auto first = block_map.first_block(tensor);
        std::uint64_t known = 0;
        for (std::uint64_t block = 0; block < block_map.blocks(tensor); ++block) {
            if (!evidence.recovered.checks.known(first + block)) continue;
            ++known;
            const auto difference =
                evidence.recovered.checks.values()[first + block] ^ evidence.scan.weights.checks[first + block];
            blame.bits[tensor].wrong += static_cast<std::uint64_t>(std::popcount(difference));
            blame.bits[tensor].compared += 8 * check_bytes(evidence.scan.weights.version);
            if (difference != 0) blame.blocks[tensor].insert(block);
        }
        blame.unsure[tensor] = known == 0 && block_map.blocks(tensor) != 0;
        blame.unknown += block_map.blocks(tensor) - known;
    }
}

std::uint64_t differing_bits(std::span<const std::byte> a, std::span<const std::byte> b) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        count += static_cast<std::uint64_t>(std::popcount(std::to_integer<unsigned>(a[i] ^ b[i])));
    }
    return count;
}

// Bits of a damaged cell against those that it held, as far as they are known: a check value of which no other
// copy survived is in `expected` as the block has it now, which proves nothing.
void compare_damaged(const Evidence& evidence, std::size_t slot_index, BitErrors& bits) {
    const auto& layout = evidence.expected->layout;
    const auto& slot = layout.slots()[slot_index];
    const auto reading = evidence.scan.weights.readings[slot.cell];
    if (reading.bytes.size() < kTagBytes) return;  // nothing of it is left to be read
    const auto found = reading.bytes.subspan(kTagBytes);
    const auto expected = evidence.content_of(slot_index);
    const auto compare = [&](std::size_t at, std::size_t count) {
        if (at + count > std::min(found.size(), expected.size())) return;
        bits.wrong += differing_bits(found.subspan(at, count), std::span(expected).subspan(at, count));
        bits.compared += 8 * count;
    };
    const auto version = evidence.scan.weights.version;
    auto at = kHeadBytes;
    compare(0, at);
    for (const auto& record : layout.records(slot_index)) {
        compare(at, kRecordHeadBytes);
        at += kRecordHeadBytes;
        if (record.kind == CellLayout::Record::Kind::manifest) {
            const auto bytes = record.count * layout.piece_bytes();
            compare(at, bytes);
            at += bytes;
            continue;
        }
        const auto first = evidence.scan.block_map->first_block(slot.tensor) + record.first;
        for (std::size_t k = 0; k < record.count; ++k, at += check_bytes(version)) {
            if (evidence.recovered.checks.known(first + k)) compare(at, check_bytes(version));
        }
    }
}

void blame_by_cells(const Evidence& evidence, Blame& blame) {
    const auto& readings = evidence.scan.weights.readings;
    bool damaged = false;
    const bool known = evidence.recovered.manifest || evidence.scan.weights.version == Version::one;
    for (std::size_t cell = 0; known && cell < readings.size(); ++cell) {
        const auto& where = evidence.scan.cells.positions()[cell];
        if (readings[cell].capacity == 0 || readings[cell].valid) continue;
        blame.blocks[where.tensor].insert(where.block);
        damaged = true;
    }
    if (!evidence.expected || (damaged && !evidence.expected->certain)) return;
    const auto slots = evidence.expected->layout.slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const auto& slot = slots[i];
        const auto reading = readings[slot.cell];
        auto& bits = blame.bits[slot.tensor];
        if (!reading.valid) {
            compare_damaged(evidence, i, bits);
            continue;
        }
        bits.compared += 8 * reading.bytes.size();
        if (evidence.expected->certain) continue;
        const auto expected = evidence.content_of(i);
        if (std::ranges::equal(reading.bytes, expected)) continue;
        // Its tag holds, its content is not what belongs there: written by a holder of the check key.
        blame.blocks[slot.tensor].insert(slot.block);
        bits.wrong += differing_bits(reading.bytes, expected);
    }
}

TensorFinding describe(const BlockMap& block_map, std::size_t index, const Blame& blame) {
    const auto& tensor = block_map.tensors()[index];
    TensorFinding finding{
        .name = tensor.name, .dtype = std::string(info(tensor.dtype).name), .shape = tensor.shape};
    finding.bit_error_rate = blame.bits[index].rate();
    for (const auto block : blame.blocks[index]) {
        finding.changed.push_back({block * block_map.block_elements(), block_map.elements_in(index, block)});
    }
    if (!finding.changed.empty()) finding.outcome = TensorFinding::Outcome::changed;
    return finding;
}

// Tensors that were sealed and are gone, that are here and were not sealed, or that have another type or shape.
void compare_lists(const BlockMap& block_map, const SignedPart& part, SealFinding& finding) {
    const auto directory = decode_directory(part.directory, part.tensors);
    if (!directory) return;
    std::map<std::string, TensorFinding> by_name;
    for (auto& entry : finding.tensors) by_name[entry.name] = std::move(entry);
    const auto put = [&](const std::string& name, DType dtype, const std::vector<std::uint64_t>& shape,
                         TensorFinding::Outcome outcome) {
        by_name[name] = {
            .name = name, .dtype = std::string(info(dtype).name), .shape = shape, .outcome = outcome};
    };
    // Both lists are sorted by name.
    auto sealed = directory->begin();
    auto here = block_map.tensors().begin();
    while (sealed != directory->end() || here != block_map.tensors().end()) {
        if (here == block_map.tensors().end() || (sealed != directory->end() && sealed->name < here->name)) {
            put(sealed->name, sealed->dtype, sealed->shape, TensorFinding::Outcome::missing);
            ++sealed;
        } else if (sealed == directory->end() || here->name < sealed->name) {
            put(here->name, here->dtype, here->shape, TensorFinding::Outcome::added);
            ++here;
        } else {
            if (!same_kind(*sealed, *here)) {
                put(here->name, here->dtype, here->shape, TensorFinding::Outcome::changed);
            }
            ++sealed;
            ++here;
        }
    }
    finding.tensors.clear();
    for (auto& [name, entry] : by_name) finding.tensors.push_back(std::move(entry));
}

std::string first_few(const std::vector<std::string>& paths) {
    constexpr std::size_t kNamed = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(paths.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + paths[i];
    if (paths.size() > kNamed) text += fmt::format(" and {} more", paths.size() - kNamed);
    return text;
}

void judge_frame(const model::Model& given, const Evidence& evidence, SealFinding& finding) {
    if (!evidence.recovered.manifest) {
        finding.frame_intact = false;
        finding.frame_detail = "unknown: the signed manifest did not survive";
        return;
    }
    const auto& part = evidence.recovered.manifest->signed_part;
    const auto weights = evidence.weights_intact() ? Weights::same : Weights::changed;
    // A container checksum that is wrong because the tensor under it changed is not a change of its own.
    const bool excused = weights == Weights::changed && evidence.matches.folder_rule &&
                         part.frame == evidence.scan.frame.digest_if_right;
    finding.frame_intact = evidence.matches.frame || excused;
    const auto uncovered = outside(given, evidence);
    if (!finding.frame_intact) {
        auto changes = compare_files(given, evidence, weights);
        finding.files = std::move(changes.files);
        finding.files_missing = changes.missing_unnamed;
    } else if (!uncovered.empty()) {
        finding.frame_detail =
            "sealed by the earlier rule for folders, which does not cover " + first_few(uncovered);
    }
}

SealFinding::Cause cause_of(const Evidence& evidence, bool weights_changed) {
    using enum SealFinding::Cause;
    if (evidence.intact()) return none;
    if (!evidence.recovered.manifest) return lost_manifest;
    if (!evidence.matches.signature) return signature;
    if (!evidence.matches.folder_rule) return added_files;
    if (!evidence.matches.tensor_list) return tensor_list;
    if (weights_changed) return weights;
    return evidence.names_here.empty() ? frame : names;
}

// A model that was read again has its sealed names; else the directory has them.
std::string describe_names(const Evidence& evidence, const model::Model& model) {
    if (evidence.names_here.empty() || !evidence.recovered.manifest) return {};
    const auto& part = evidence.recovered.manifest->signed_part;
    std::vector<std::string> sealed;
    if (evidence.reread) {
        sealed = names_of(model.tensors);
    } else if (const auto directory = decode_directory(part.directory, part.tensors)) {
        for (const auto& entry : *directory) sealed.push_back(entry.name);
    }
    return sealed.size() == evidence.names_here.size() ? renaming_text(sealed, evidence.names_here)
                                                       : std::string();
}

std::string counts_text(const SealFinding& finding) {
    const auto changed =
        std::ranges::count(finding.tensors, TensorFinding::Outcome::changed, &TensorFinding::outcome);
    auto text = fmt::format("{} of {} tensors changed{}", changed, finding.tensors_total,
                            finding.frame_intact ? "" : ", and the frame around them");
    if (finding.unknown_blocks != 0)
        text += fmt::format("; the sealed digests of {} blocks did not survive", finding.unknown_blocks);
    return text;
}

std::string summarize(const Evidence& evidence, const SealFinding& finding) {
    using enum SealFinding::Cause;
    switch (finding.cause) {
        case lost_manifest:
            return "the weights changed so much that the signed part of the seal did not survive";
        case signature:
            return "the signature is not the vendor's: forged, or sealed by someone else";
        case added_files:
            return "files were added to the sealed folder";
        case tensor_list:
            return fmt::format("the list of tensors differs from the sealed one: {} sealed, {} present",
                               evidence.recovered.manifest->signed_part.tensors, finding.tensors_total);
        case weights:
            return counts_text(finding);
        case names:
            return "the weights are intact, under other names: " + finding.names_detail;
        case frame:
            return "the weights are intact, the frame around them changed";
        case none:
        case stamp:
            break;
    }
    return "every bit is as it was sealed";
}

}  // namespace

SealFinding judge(const model::Model& given, const Evidence& evidence, bool all) {
    const auto& model = evidence.model(given);
    const auto& block_map = *evidence.scan.block_map;
    SealFinding finding{.scheme = "modelseal"};
    finding.outcome = evidence.intact() ? SealFinding::Outcome::intact : SealFinding::Outcome::tampered;
    finding.tensors_total = model.tensors.size();
    finding.bytes_total = model.bytes();
    if (const auto& manifest = evidence.recovered.manifest) {
        const auto& part = manifest->signed_part;
        finding.stamp = part.stamp;
        finding.root = to_hex(root(*manifest));
        finding.stamp_authentic = evidence.matches.signature;
        if (part.parent) finding.parent = to_hex(*part.parent);
    }
    const auto tensors = model.tensors.size();
    Blame blame{std::vector<BitErrors>(tensors), std::vector<std::set<std::uint64_t>>(tensors), 0,
                std::vector<bool>(tensors)};
    blame_by_checks(block_map, evidence, blame);
    blame_by_cells(evidence, blame);
    const bool weights_changed = !evidence.weights_intact();

    BitErrors sum;
    for (std::size_t i = 0; i < tensors; ++i) {
        auto entry = describe(block_map, i, blame);
        sum.wrong += blame.bits[i].wrong;
        sum.compared += blame.bits[i].compared;
        // Nothing is known of it, and the weights as a whole do not match: it is not called intact.
        if (weights_changed && evidence.matches.tensor_list && blame.unsure[i] && entry.changed.empty())
            entry.outcome = TensorFinding::Outcome::changed;
        if (all || entry.outcome != TensorFinding::Outcome::intact) finding.tensors.push_back(std::move(entry));
    }
    if (!evidence.matches.tensor_list && evidence.recovered.manifest)
        compare_lists(block_map, evidence.recovered.manifest->signed_part, finding);
    finding.bit_error_rate = sum.rate().value_or(0);
    judge_frame(given, evidence, finding);
    finding.names_detail = describe_names(evidence, model);
    finding.weights_intact = !weights_changed;
    finding.unknown_blocks = weights_changed ? blame.unknown : 0;
    finding.cause = cause_of(evidence, weights_changed);
    finding.detail = summarize(evidence, finding);
    return finding;
}

}  // namespace modelseal::mark

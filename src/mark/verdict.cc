#include "mark/verdict.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include <fmt/format.h>

#include "mark/file_changes.h"

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
    std::uint64_t unknown = 0;  // blocks of which no note survived, in tensors that show no other damage
    std::vector<bool> unsure;   // no note of any block of that tensor survived
};

void blame_by_notes(const Geometry& geometry, const Evidence& evidence, Blame& blame) {
    for (std::size_t tensor = 0; tensor < geometry.tensors().size(); ++tensor) {
        const auto first = geometry.first_block(tensor);
        std::uint64_t noted = 0;
        for (std::uint64_t block = 0; block < geometry.blocks(tensor); ++block) {
            const auto& note = evidence.recorded[first + block];
            if (!note) continue;
            ++noted;
            const auto difference = *note ^ evidence.scan.checks[first + block];
            blame.bits[tensor].wrong += static_cast<std::uint64_t>(std::popcount(difference));
            blame.bits[tensor].compared += 8 * sizeof difference;
            if (difference != 0) blame.blocks[tensor].insert(block);
        }
        blame.unsure[tensor] = noted == 0 && geometry.blocks(tensor) != 0;
        blame.unknown += geometry.blocks(tensor) - noted;
    }
}

std::uint64_t differing_bits(std::span<const std::byte> a, std::span<const std::byte> b) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        count += static_cast<std::uint64_t>(std::popcount(std::to_integer<unsigned>(a[i] ^ b[i])));
    }
    return count;
}

// Bits of a damaged cell against those that it held, as far as they are known: what it said of the blocks of
// its own tensor is unknown where no other copy survived.
void compare_damaged(const Geometry& geometry, const Evidence& evidence, std::size_t place_index,
                     BitErrors& bits) {
    const auto& place = evidence.arrangement->places[place_index];
    const auto& reading = evidence.scan.readings[evidence.arrangement->sites[place_index]];
    if (reading.bytes.size() < kTagBytes) return;  // nothing of it is left to be read
    const auto found = std::span(reading.bytes).subspan(kTagBytes);
    const auto& expected = evidence.expected[place_index];
    const auto compare = [&](std::size_t at, std::size_t count) {
        if (at + count > std::min(found.size(), expected.size())) return;
        bits.wrong += differing_bits(found.subspan(at, count), std::span(expected).subspan(at, count));
        bits.compared += 8 * count;
    };
    std::size_t at = 6;
    compare(0, at);
    for (const auto& record : evidence.arrangement->chart.records(place_index)) {
        compare(at, 7);
        at += 7;
        if (record.kind == Chart::Record::Kind::manifest) {
            const auto bytes = record.count * evidence.arrangement->chart.piece_bytes();
            compare(at, bytes);
            at += bytes;
            continue;
        }
        for (std::size_t k = 0; k < record.count; ++k, at += sizeof(CheckValue)) {
            if (evidence.recorded[geometry.first_block(place.tensor) + record.first + k])
                compare(at, sizeof(CheckValue));
        }
    }
}

void blame_by_cells(const Geometry& geometry, const Evidence& evidence, Blame& blame) {
    bool damaged = false;
    for (std::size_t site = 0; site < evidence.scan.readings.size(); ++site) {
        const auto& reading = evidence.scan.readings[site];
        const auto& where = evidence.cells.sites()[site];
        if (reading.capacity == 0 || reading.valid) continue;
        blame.blocks[where.tensor].insert(where.block);
        damaged = true;
    }
    if (!evidence.arrangement || (damaged && !evidence.chart_certain)) return;
    for (std::size_t i = 0; i < evidence.expected.size(); ++i) {
        const auto& place = evidence.arrangement->places[i];
        const auto& reading = evidence.scan.readings[evidence.arrangement->sites[i]];
        auto& bits = blame.bits[place.tensor];
        if (!reading.valid) {
            compare_damaged(geometry, evidence, i, bits);
            continue;
        }
        bits.compared += 8 * reading.bytes.size();
        if (reading.bytes == evidence.expected[i]) continue;
        // Its tag holds, its content is not what belongs there: written by someone who has the check key.
        blame.blocks[place.tensor].insert(place.block);
        bits.wrong += differing_bits(reading.bytes, evidence.expected[i]);
    }
}

TensorFinding describe(const Geometry& geometry, std::size_t index, const Blame& blame) {
    const auto& tensor = geometry.tensors()[index];
    TensorFinding finding{
        .name = tensor.name, .dtype = std::string(info(tensor.dtype).name), .shape = tensor.shape};
    finding.bit_error_rate = blame.bits[index].rate();
    for (const auto block : blame.blocks[index]) {
        finding.changed.push_back({block * geometry.block_elements(), geometry.elements_in(index, block)});
    }
    if (!finding.changed.empty()) finding.outcome = TensorFinding::Outcome::changed;
    return finding;
}

// Tensors that were sealed and are gone, that are here and were not sealed, or that have another type or shape.
void compare_lists(const Geometry& geometry, const SignedPart& claims, SealFinding& finding) {
    const auto directory = decode_directory(claims.directory, claims.tensors);
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
    auto here = geometry.tensors().begin();
    while (sealed != directory->end() || here != geometry.tensors().end()) {
        if (here == geometry.tensors().end() || (sealed != directory->end() && sealed->name < here->name)) {
            put(sealed->name, sealed->dtype, sealed->shape, TensorFinding::Outcome::missing);
            ++sealed;
        } else if (sealed == directory->end() || here->name < sealed->name) {
            put(here->name, here->dtype, here->shape, TensorFinding::Outcome::added);
            ++here;
        } else {
            if (here->dtype != sealed->dtype || here->shape != sealed->shape) {
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
    if (!evidence.manifest) {
        finding.frame_intact = false;
        finding.frame_detail = "unknown: the signed manifest did not survive";
        return;
    }
    const auto& claims = evidence.manifest->claims;
    const auto weights = evidence.weights_intact() ? Weights::same : Weights::changed;
    // A container checksum that is wrong because the tensor under it changed is not a change of its own.
    const bool excused =
        weights == Weights::changed && evidence.rule_matches && claims.frame == evidence.frame.digest_if_right;
    finding.frame_intact = evidence.frame_matches || excused;
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
    if (!evidence.manifest) return lost_manifest;
    if (!evidence.signature_holds) return signature;
    if (!evidence.rule_matches) return added_files;
    if (!evidence.tensor_list_same) return tensor_list;
    return weights_changed ? weights : frame;
}

std::string counts_text(const SealFinding& finding) {
    const auto changed =
        std::ranges::count(finding.tensors, TensorFinding::Outcome::changed, &TensorFinding::outcome);
    auto text = fmt::format("{} of {} tensors changed{}", changed, finding.tensors_total,
                            finding.frame_intact ? "" : ", and the frame around them");
    if (finding.unknown_blocks != 0)
        text += fmt::format("; of {} blocks no check value survived", finding.unknown_blocks);
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
            return fmt::format("the list of tensors is not the sealed one: {} were sealed, {} are here",
                               evidence.manifest->claims.tensors, finding.tensors_total);
        case weights:
            return counts_text(finding);
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
    const auto& geometry = *evidence.geometry;
    SealFinding finding{.scheme = "modelseal"};
    finding.outcome = evidence.intact() ? SealFinding::Outcome::intact : SealFinding::Outcome::tampered;
    finding.tensors_total = model.tensors.size();
    finding.bytes_total = model.bytes();
    if (evidence.manifest) {
        finding.stamp = evidence.manifest->claims.stamp;
        finding.vendor_key = to_hex(evidence.manifest->claims.vendor);
        finding.root = to_hex(root(*evidence.manifest));
        finding.stamp_authentic = evidence.signature_holds;
        if (evidence.manifest->claims.parent) finding.parent = to_hex(*evidence.manifest->claims.parent);
    }
    const auto tensors = model.tensors.size();
    Blame blame{std::vector<BitErrors>(tensors), std::vector<std::set<std::uint64_t>>(tensors), 0,
                std::vector<bool>(tensors)};
    blame_by_notes(geometry, evidence, blame);
    blame_by_cells(geometry, evidence, blame);
    const bool weights_changed = !evidence.weights_intact();

    BitErrors sum;
    bool explained = false;
    for (std::size_t i = 0; i < tensors; ++i) {
        auto entry = describe(geometry, i, blame);
        sum.wrong += blame.bits[i].wrong;
        sum.compared += blame.bits[i].compared;
        // Nothing is known of it, and the weights as a whole do not match: it is not called intact.
        if (weights_changed && evidence.tensor_list_same && blame.unsure[i] && entry.changed.empty())
            entry.outcome = TensorFinding::Outcome::changed;
        explained = explained || entry.outcome != TensorFinding::Outcome::intact;
        if (all || entry.outcome != TensorFinding::Outcome::intact) finding.tensors.push_back(std::move(entry));
    }
    if (!evidence.tensor_list_same && evidence.manifest)
        compare_lists(geometry, evidence.manifest->claims, finding);
    finding.bit_error_rate = sum.rate().value_or(0);
    judge_frame(given, evidence, finding);
    finding.weights_intact = !weights_changed;
    finding.unknown_blocks = weights_changed ? blame.unknown : 0;
    finding.cause = cause_of(evidence, weights_changed);
    finding.detail = summarize(evidence, finding);
    return finding;
}

}  // namespace modelseal::mark

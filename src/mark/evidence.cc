#include "mark/evidence.h"

#include <algorithm>
#include <map>

#include "mark/embed.h"
#include "mark/erasure.h"
#include "mark/locate.h"
#include "model/folder.h"

namespace modelseal::mark {
namespace {

// Puts the manifest together from the pieces that survived, if they are enough. Cells that disagree about its
// length were not written by one sealer; the most frequent length counts.
std::optional<Manifest> assemble(const std::vector<CellContent>& contents) {
    std::map<CellHead, std::vector<Erasure::Piece>> by_head;
    for (const auto& content : contents) {
        auto& pieces = by_head[content.head];
        pieces.insert(pieces.end(), content.pieces.begin(), content.pieces.end());
    }
    const auto most =
        std::ranges::max_element(by_head, {}, [](const auto& entry) { return entry.second.size(); });
    if (most == by_head.end()) return std::nullopt;
    const auto bytes = Erasure(most->first.manifest_bytes, most->first.piece_bytes).restore(most->second);
    return bytes ? decode(*bytes) : std::nullopt;
}

std::vector<CellContent> parse_valid(const std::vector<Reading>& readings, std::vector<std::size_t>& sites) {
    std::vector<CellContent> contents;
    for (std::size_t i = 0; i < readings.size(); ++i) {
        if (!readings[i].valid) continue;
        if (auto content = parse_content(readings[i].bytes)) {
            contents.push_back(std::move(*content));
            sites.push_back(i);
        }
    }
    return contents;
}

bool same_tensors(const Geometry& geometry, const SignedPart& part) {
    if (part.tensors != geometry.tensors().size()) return false;
    const auto directory = decode_directory(part.directory, part.tensors);
    if (!directory) return part.directory.empty();
    return std::ranges::equal(
        *directory, geometry.tensors(), [](const DirectoryEntry& entry, const Tensor& tensor) {
            return entry.name == tensor.name && entry.dtype == tensor.dtype && entry.shape == tensor.shape;
        });
}

// Where the sealed tensor list differs from ours, its common table is read through its directory.
void record_common_table(const Geometry& geometry, const Manifest& manifest, bool same,
                         std::vector<std::optional<CheckValue>>& recorded) {
    const auto& claims = manifest.claims;
    const auto directory = same ? std::nullopt : decode_directory(claims.directory, claims.tensors);
    if (!same && !directory) return;
    std::size_t next = 0;
    for (std::size_t sealed = 0; sealed < claims.in_common_table.size(); ++sealed) {
        if (!claims.in_common_table[sealed]) continue;
        std::optional<std::size_t> here = sealed;
        std::uint64_t blocks = 0;
        if (same) {
            blocks = geometry.blocks(sealed);
        } else {
            const auto& entry = (*directory)[sealed];
            std::uint64_t elements = 1;
            for (const auto extent : entry.shape) elements *= extent;
            blocks = (elements + geometry.block_elements() - 1) / geometry.block_elements();
            const auto found = std::ranges::lower_bound(geometry.tensors(), entry.name, {}, &Tensor::name);
            const bool there = found != geometry.tensors().end() && found->name == entry.name &&
                               found->dtype == entry.dtype && found->shape == entry.shape;
            here = there ? std::optional<std::size_t>(found - geometry.tensors().begin()) : std::nullopt;
        }
        if (blocks > manifest.common.size() - next) return;
        for (std::uint64_t block = 0; here && block < std::min(blocks, geometry.blocks(*here)); ++block) {
            recorded[geometry.first_block(*here) + block] = manifest.common[next + block];
        }
        next += blocks;
    }
}

void record_own_tables(const Geometry& geometry, const CellMap& cells, std::span<const CellContent> contents,
                       std::span<const std::size_t> sites, std::vector<std::optional<CheckValue>>& recorded) {
    for (std::size_t i = 0; i < contents.size(); ++i) {
        const auto tensor = cells.sites()[sites[i]].tensor;
        for (const auto& own : contents[i].own) {
            for (std::size_t k = 0; k < own.values.size() && own.first_block + k < geometry.blocks(tensor);
                 ++k) {
                recorded[geometry.first_block(tensor) + own.first_block + k] = own.values[k];
            }
        }
    }
}

// What every cell should hold, drawn anew for cells of these capacities; tables as the sealer noted them where
// that is known, else as computed.
void draw_expected(const Geometry& geometry, std::span<const std::uint32_t> capacities, Evidence& evidence) {
    const auto& manifest = *evidence.manifest;
    const auto bytes = encode(manifest);
    evidence.expected.clear();
    evidence.arrangement =
        arrange(geometry, evidence.cells, capacities, manifest.claims.in_common_table, bytes.size());
    if (!evidence.arrangement) return;
    auto checks = evidence.scan.checks;
    for (std::size_t i = 0; i < checks.size(); ++i) checks[i] = evidence.recorded[i].value_or(checks[i]);
    evidence.expected = contents(geometry, *evidence.arrangement, manifest.claims, checks, bytes);
}

bool whole_cells_agree(const Evidence& evidence) {
    if (!evidence.arrangement) return false;
    for (std::size_t i = 0; i < evidence.expected.size(); ++i) {
        const auto& reading = evidence.scan.readings[evidence.arrangement->sites[i]];
        if (reading.valid && reading.bytes != evidence.expected[i]) return false;
    }
    return true;
}

// A change may have taken values from a damaged cell, or given it some, and so have moved what all cells behind
// it should hold. Then it was most likely a full one.
void draw_expected(const Geometry& geometry, Evidence& evidence) {
    std::vector<std::uint32_t> as_read, as_full;
    for (const auto& reading : evidence.scan.readings) {
        as_read.push_back(reading.capacity);
        as_full.push_back(reading.valid ? reading.capacity : kCellValues / 8);
    }
    draw_expected(geometry, as_read, evidence);
    evidence.chart_certain = whole_cells_agree(evidence);
    if (evidence.chart_certain || as_read == as_full) return;
    draw_expected(geometry, as_full, evidence);
    evidence.chart_certain = whole_cells_agree(evidence);
    if (!evidence.chart_certain) draw_expected(geometry, as_read, evidence);
}

// The tables must be those of the weights at hand, and every cell must hold its part of them.
bool compare_cells(const Geometry& geometry, const Evidence& evidence) {
    if (!evidence.arrangement) return false;
    const auto& manifest = *evidence.manifest;
    if (common_table(manifest.claims, geometry, evidence.scan.checks) != manifest.common) return false;
    for (std::size_t i = 0; i < evidence.expected.size(); ++i) {
        const auto& reading = evidence.scan.readings[evidence.arrangement->sites[i]];
        if (!reading.valid || reading.bytes != evidence.expected[i]) return false;
    }
    for (std::size_t i = 0; i < evidence.recorded.size(); ++i) {
        if (evidence.recorded[i] && *evidence.recorded[i] != evidence.scan.checks[i]) return false;
    }
    return true;
}

bool files_match(const Manifest& manifest, const FrameScan& frame) {
    return std::ranges::equal(manifest.claims.file_checks, frame.files, {}, {}, check_value);
}

struct Found {
    std::unique_ptr<const Geometry> geometry;
    Located located;
};

// A model that lost or gained tensors may have been sealed with blocks of another length.
Result<std::optional<Found>> find_seal(const model::Model& model, std::span<const std::byte, 32> secret) {
    auto natural = std::make_unique<const Geometry>(model.tensors);
    const auto usual = natural->block_elements();
    MODELSEAL_TRY_ASSIGN(const auto located, locate(model, *natural, secret));
    if (located) return std::optional(Found{std::move(natural), *located});
    for (auto length = kMaxBlockElements; length >= kMinBlockElements; length /= 2) {
        if (length == usual) continue;
        auto other = std::make_unique<const Geometry>(model.tensors, length);
        MODELSEAL_TRY_ASSIGN(const auto there, locate(model, *other, secret, Effort::first_cells));
        if (there) return std::optional(Found{std::move(other), *there});
    }
    return std::optional<Found>();
}

void read_manifest(const model::Model& model, const CheckKey& key, const Located& located, Evidence& evidence) {
    const auto& geometry = *evidence.geometry;
    const auto& manifest = *evidence.manifest;
    evidence.signature_holds = manifest.claims.vendor == key.vendor.id() && verify(key.vendor, manifest) &&
                               manifest.claims.rate_step == located.rate_step &&
                               manifest.claims.carrier_class == located.carrier_class;
    // What nobody signed is not looked into: whoever has the check key may have written it.
    if (!evidence.signature_holds) return;
    // A seal over everything does not match what the earlier rule takes for the folder.
    evidence.rule_matches =
        model.rule == model::FolderRule::everything || manifest.claims.rule == model::FolderRule::by_name;
    evidence.tensor_list_same = same_tensors(geometry, manifest.claims);
    record_common_table(geometry, manifest, evidence.tensor_list_same, evidence.recorded);
    if (evidence.tensor_list_same) {
        draw_expected(geometry, evidence);
        evidence.cells_hold = compare_cells(geometry, evidence);
        evidence.weights_match =
            evidence.rule_matches && manifest.claims.weights == weights_root(evidence.scan);
    }
    evidence.frame_matches = evidence.rule_matches && manifest.claims.frame == evidence.frame.digest &&
                             files_match(manifest, evidence.frame);
}

}  // namespace

Result<Evidence> gather_at(const model::Model& model, const CheckKey& key, std::unique_ptr<const Geometry> cut,
                           const Located& located, const Pass& pass, io::Progress& progress) {
    const auto& geometry = *cut;
    CellMap cells(geometry, key.secret.bytes(), located.carrier_class, located.rate_step);
    MODELSEAL_TRY_ASSIGN(auto scanned, scan(model, geometry, cells, pass, progress));
    MODELSEAL_TRY_ASSIGN(auto frame, scan_frame(model, pass.jobs, progress));
    Evidence evidence{.geometry = std::move(cut),
                      .cells = std::move(cells),
                      .scan = std::move(scanned),
                      .frame = std::move(frame)};
    evidence.recorded.resize(geometry.total_blocks());

    std::vector<std::size_t> sites;
    const auto parsed = parse_valid(evidence.scan.readings, sites);
    record_own_tables(geometry, evidence.cells, parsed, sites, evidence.recorded);
    evidence.manifest = assemble(parsed);
    if (evidence.manifest) read_manifest(model, key, located, evidence);
    return evidence;
}

namespace {

Result<std::optional<Evidence>> gather_by_its_rule(const model::Model& model, const CheckKey& key,
                                                   const Pass& pass, io::Progress& progress) {
    MODELSEAL_TRY_ASSIGN(auto found, find_seal(model, key.secret.bytes()));
    if (!found) return std::optional<Evidence>();
    MODELSEAL_TRY_ASSIGN(auto evidence,
                         gather_at(model, key, std::move(found->geometry), found->located, pass, progress));
    return std::optional(std::move(evidence));
}

bool covers_everything(const std::optional<Evidence>& evidence) {
    return evidence && evidence->signature_holds &&
           evidence->manifest->claims.rule == model::FolderRule::everything;
}

// Whether the two rules take different files for the model.
bool rules_differ(const model::Model& model) {
    return model.folder && model.rule == model::FolderRule::everything &&
           std::ranges::any_of(model.files, model::is_left_out_by_name, &model::ModelFile::path);
}

}  // namespace

Result<std::optional<Evidence>> gather(const model::Model& model, const CheckKey& key, const Pass& pass,
                                       io::Progress& progress) {
    MODELSEAL_TRY_ASSIGN(auto evidence, gather_by_its_rule(model, key, pass, progress));
    if (covers_everything(evidence) || !rules_differ(model)) return evidence;
    auto earlier = model::open_model_folder(model.path, model.limits, model::FolderRule::by_name);
    if (!earlier) return evidence;
    const auto reread = std::make_shared<const model::Model>(std::move(earlier).value());
    MODELSEAL_TRY_ASSIGN(auto by_name, gather_by_its_rule(*reread, key, pass, progress));
    if (!by_name || !by_name->signature_holds) return evidence;
    // Files were added to a folder of which the seal covers everything: they are part of its frame.
    if (covers_everything(by_name)) {
        MODELSEAL_TRY_ASSIGN(by_name->frame, scan_frame(model, pass.jobs, progress));
    }
    by_name->reread = reread;
    return by_name;
}

}  // namespace modelseal::mark

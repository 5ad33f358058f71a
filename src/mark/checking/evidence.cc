#include "mark/checking/evidence.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "mark/checking/assemble.h"
#include "mark/checking/renamed.h"
#include "model/folder.h"

namespace modelseal::mark {
namespace {

// Takes apart the cells that the scan found valid.
void each_content(const WeightScan& scan,
                  const std::function<void(std::size_t cell, const CellContent& content)>& take) {
    for (std::size_t i = 0; i < scan.readings.size(); ++i) {
        const auto reading = scan.readings[i];
        if (!reading.valid) continue;
        if (const auto content = parse_content(reading.bytes, scan.version)) take(i, *content);
    }
}

std::optional<Manifest> manifest_in(const WeightScan& scan) {
    ManifestPieces pieces;
    each_content(scan, [&](std::size_t, const CellContent& content) { pieces.add(content); });
    return pieces.assemble();
}

// What the file calls the tensors, if a directory says that they were sealed under other names.
std::vector<std::string> names_unlike_sealed(const BlockMap& block_map, const SignedPart& part) {
    const auto directory = decode_directory(part.directory, part.tensors);
    if (!directory ||
        std::ranges::equal(*directory, block_map.tensors(), {}, &DirectoryEntry::name, &Tensor::name))
        return {};
    return names_of(block_map.tensors());
}

RecoveredSeal recover(const SealScan& scan) {
    SealedChecks checks(scan.weights.checks);
    ManifestPieces pieces;
    each_content(scan.weights, [&](std::size_t cell, const CellContent& content) {
        recover_own_table(*scan.block_map, scan.cells, cell, content, checks);
        pieces.add(content);
    });
    return {.manifest = pieces.assemble(), .checks = std::move(checks)};
}

std::vector<std::byte> content_in(const SealScan& scan, const RecoveredSeal& recovered,
                                  const ExpectedCells& expected, std::size_t slot) {
    return content_of(slot, *scan.block_map, expected.layout, recovered.manifest->signed_part,
                      recovered.checks.values(), expected.manifest);
}

// The layout for cells of these capacities, and what it puts into them: check values as they were sealed where
// that is known, else as computed now.
std::optional<ExpectedCells> expect(const SealScan& scan, const RecoveredSeal& recovered,
                                    std::span<const std::uint32_t> capacities) {
    const auto& manifest = *recovered.manifest;
    auto bytes = encode(manifest);
    auto layout = CellLayout::draw(*scan.block_map, scan.cells, capacities,
                                   manifest.signed_part.in_common_table, bytes.size());
    if (!layout) return std::nullopt;
    ExpectedCells expected{
        .layout = std::move(*layout), .manifest = std::move(bytes), .certain = true, .all_valid = true};
    const auto slots = expected.layout.slots();
    for (std::size_t i = 0; i < slots.size() && expected.certain; ++i) {
        const auto reading = scan.weights.readings[slots[i].cell];
        expected.all_valid &= reading.valid;
        expected.certain =
            !reading.valid || std::ranges::equal(reading.bytes, content_in(scan, recovered, expected, i));
    }
    return expected;
}

// The layout depends on the capacity of every cell, and pieces are numbered on from cell to cell. A change may
// have taken values from a damaged cell, or given it some (an exact zero never carries), and so have moved what
// all cells after it should hold. The capacity that it had is not recorded anywhere; most likely it was full.
// That guess is tested by the cells that are valid: only under the right capacities do they all agree.
std::optional<ExpectedCells> expect(const SealScan& scan, const RecoveredSeal& recovered) {
    std::vector<std::uint32_t> as_read, as_full;
    for (std::size_t i = 0; i < scan.weights.readings.size(); ++i) {
        const auto reading = scan.weights.readings[i];
        as_read.push_back(reading.capacity);
        const auto [tensor, block] = scan.cells.positions()[i];
        const Carriers carriers{scan.cells.version(), scan.block_map->tensors()[tensor].dtype,
                                scan.cells.grid(tensor)};
        const bool guess =
            !reading.valid && scan.cells.carries(i) && carrier_kind(carriers) != CarrierKind::modeled;
        as_full.push_back(guess ? full_capacity(carriers, scan.block_map->elements_in(tensor, block))
                                : reading.capacity);
    }
    auto expected = expect(scan, recovered, as_read);
    if ((expected && expected->certain) || as_read == as_full) return expected;
    auto guess = expect(scan, recovered, as_full);
    return guess && guess->certain ? std::move(guess) : std::move(expected);
}

// The block digests do not see the bits of cells, and the tables after the signature are not signed. So both
// are compared with what they must be: the tables with those of the weights at hand, and every cell with its
// part of them, bit by bit.
bool cells_match(const SealScan& scan, const RecoveredSeal& recovered,
                 const std::optional<ExpectedCells>& expected) {
    if (!expected || !expected->certain || !expected->all_valid) return false;
    const auto& manifest = *recovered.manifest;
    if (common_table(manifest.signed_part, *scan.block_map, scan.weights.checks) != manifest.common)
        return false;
    return std::ranges::equal(recovered.checks.values(), scan.weights.checks);
}

bool files_match(const Manifest& manifest, const FrameScan& frame) {
    return std::ranges::equal(manifest.signed_part.file_checks, frame.files, {}, {},
                              [](const crypto::Digest& of_file) { return check_value(of_file); });
}

// Compares what was read with the manifest that was recovered.
void match(const model::Model& model, const CheckKey& key, const Located& where, Evidence& evidence) {
    const auto& scan = evidence.scan;
    auto& recovered = evidence.recovered;
    auto& matches = evidence.matches;
    const auto& manifest = *recovered.manifest;
    // Version and density were read from a cell that a holder of the check key may have written: under a lower
    // density, cells of the seal would go unread.
    matches.signature = is_by_vendor(manifest, key, where);
    // What nobody signed is not looked into: a holder of the check key may have written it.
    if (!matches.signature) return;
    // A seal over everything does not match what the earlier rule takes for the folder.
    matches.folder_rule =
        model.rule == model::FolderRule::everything || manifest.signed_part.rule == model::FolderRule::by_name;
    matches.tensor_list =
        same_tensors(*scan.block_map, manifest.signed_part) && manifest.signed_part.use == scan.cells.use();
    recover_common_table(*scan.block_map, manifest, matches.tensor_list, recovered.checks);
    if (matches.tensor_list) {
        evidence.names_here = names_unlike_sealed(*scan.block_map, manifest.signed_part);
        evidence.expected = expect(scan, recovered);
        matches.cells = cells_match(scan, recovered, evidence.expected);
        matches.weights = matches.folder_rule && manifest.signed_part.weights == weights_root(scan.weights);
    }
    matches.frame = matches.folder_rule && manifest.signed_part.frame == scan.frame.digest &&
                    files_match(manifest, scan.frame);
}

// The cells that are valid, and the grids on which they are.
CellUse use_of(const std::vector<ValidCell>& valid, const CellMap& cells, std::size_t tensors) {
    CellUse use{.carrying = std::vector<bool>(cells.positions().size()),
                .grids = std::vector<Grid>(tensors, Grid::own)};
    for (const auto& each : valid) {
        use.carrying[each.cell] = true;
        use.grids[cells.positions()[each.cell].tensor] = each.grid;
    }
    return use;
}

// Tells which cells carry: by the manifest; those that are valid if it is one of another list of tensors; all without
// one. It stands in the manifest, and the manifest in the cells: so they are read on every grid on which they might carry,
// until they give a manifest that the vendor signed. What the seal is, all cells say (recover()).
Result<void> find_use(const model::Model& model, const BlockMap& block_map, const CheckKey& key,
                      const Located& where, unsigned jobs, CellMap& cells) {
    if (cells.version() == Version::one) return {};
    std::vector<std::size_t> order(cells.positions().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto accepts = [&](const Manifest& manifest) {
        return is_by_vendor(manifest, key, where) && stated_use(model, cells, manifest).has_value();
    };
    MODELSEAL_TRY_ASSIGN(auto found, read_cells_until(model, block_map, cells, order, 0, jobs, accepts));
    if (found.manifest) {
        if (auto use = stated_use(model, cells, *found.manifest)) {
            cells.set_use(std::move(*use));
            return {};
        }
    }
    auto use = use_of(found.valid, cells, model.tensors.size());
    // Without a manifest nobody knows which of the cells that are not valid ever carried.
    if (!found.manifest) use.carrying.clear();
    cells.set_use(std::move(use));
    return {};
}

// Whether the cells that carry are those that were found to.
bool same_use(const CellMap& stated, const CellMap& found) {
    for (std::size_t i = 0; i < found.positions().size(); ++i) {
        const auto tensor = found.positions()[i].tensor;
        if (stated.carries(i) != found.carries(i)) return false;
        if (found.carries(i) && stated.grid(tensor) != found.grid(tensor)) return false;
    }
    return true;
}

// One reading of a small model, most of which is cells: what is valid is taken to carry. Of an intact seal that is what its
// manifest states; of any other, nothing.
Result<std::optional<WeightScan>> scan_small(const model::Model& model, const BlockMap& block_map,
                                             CellMap& cells, const Pass& pass, Progress& progress) {
    constexpr std::uint64_t kSmall = 4u << 20;  // bytes
    if (cells.version() == Version::one || model.bytes() > kSmall) return std::optional<WeightScan>();
    auto found = cells;
    MODELSEAL_TRY_ASSIGN(auto scan, scan_as_found(model, block_map, found, pass));
    const auto manifest = scan ? manifest_in(*scan) : std::nullopt;
    auto use = manifest ? stated_use(model, cells, *manifest) : std::nullopt;
    if (!use) return std::optional<WeightScan>();
    cells.set_use(std::move(*use));
    if (!same_use(cells, found)) return std::optional<WeightScan>();
    progress.advance(bytes_of_weights(model));
    return scan;
}

Evidence evidence_of(SealScan scan, const model::Model& model, const CheckKey& key, const Located& where) {
    auto recovered = recover(scan);
    Evidence evidence{.scan = std::move(scan), .recovered = std::move(recovered)};
    if (evidence.recovered.manifest) match(model, key, where, evidence);
    return evidence;
}

}  // namespace

std::vector<std::byte> Evidence::content_of(std::size_t slot) const {
    return content_in(scan, recovered, *expected, slot);
}

Result<Evidence> gather_at(const model::Model& model, const CheckKey& key,
                           std::unique_ptr<const BlockMap> block_map, const Located& where, const Pass& pass,
                           Progress& progress) {
    CellMap cells(*block_map, key.secret.bytes(), where.density, where.version);
    MODELSEAL_TRY_ASSIGN(auto weights, scan_small(model, *block_map, cells, pass, progress));
    if (!weights) {
        MODELSEAL_TRY(find_use(model, *block_map, key, where, pass.jobs, cells));
        MODELSEAL_TRY_ASSIGN(weights, scan_weights(model, *block_map, cells, pass, progress));
    }
    MODELSEAL_TRY_ASSIGN(auto frame, scan_frame(model, pass.jobs, progress));
    return evidence_of({std::move(block_map), std::move(cells), std::move(*weights), std::move(frame)}, model,
                       key, where);
}

Result<std::optional<Evidence>> gather_written(const model::Model& copy, const CheckKey& key,
                                               const WeightScan& scanned, unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(auto found, find_seal(copy, key.secret.bytes()));
    if (!found) return std::optional<Evidence>();
    CellMap cells(*found->block_map, key.secret.bytes(), found->where.density, found->where.version);
    MODELSEAL_TRY(find_use(copy, *found->block_map, key, found->where, jobs, cells));
    const bool same = found->block_map->total_blocks() == scanned.checks.size() &&
                      cells.positions().size() == scanned.cell_blocks.size() &&
                      cells.version() == scanned.version;
    if (!same) return std::optional<Evidence>();
    MODELSEAL_TRY_ASSIGN(auto weights, scan_cells(copy, *found->block_map, cells, scanned, jobs));
    if (!weights) return std::optional<Evidence>();
    MODELSEAL_TRY_ASSIGN(auto frame, scan_frame(copy, jobs, no_progress()));
    return std::optional(
        evidence_of({std::move(found->block_map), std::move(cells), std::move(*weights), std::move(frame)},
                    copy, key, found->where));
}

namespace {

Result<Evidence> gather_renamed(RenamedModel renamed, const CheckKey& key, std::uint64_t block_elements,
                                const Located& where, const Pass& pass, Progress& progress) {
    auto block_map = std::make_unique<const BlockMap>(renamed.model->tensors, block_elements);
    MODELSEAL_TRY_ASSIGN(auto evidence,
                         gather_at(*renamed.model, key, std::move(block_map), where, pass, progress));
    evidence.reread = std::move(renamed.model);
    evidence.names_here = std::move(renamed.names_here);
    return evidence;
}

// A seal of version 1 on a model that was saved from inside a wrapper, or out of one.
Result<std::optional<Evidence>> gather_unwrapped(const model::Model& model, const CheckKey& key,
                                                 const Pass& pass, Progress& progress) {
    auto tensors = model.tensors;  // in their order under any of the names: all have one prefix more or less
    for (const auto& names : unwrapped_names(model)) {
        for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].name = names[i];
        const BlockMap block_map(tensors);
        MODELSEAL_TRY_ASSIGN(const auto where,
                             locate(model, block_map, key.secret.bytes(), Effort::first_cells, Version::one));
        auto renamed = where ? under_names(model, names) : std::nullopt;
        if (!renamed) continue;
        MODELSEAL_TRY_ASSIGN(auto evidence, gather_renamed(std::move(*renamed), key, block_map.block_elements(),
                                                           *where, pass, progress));
        return std::optional(std::move(evidence));
    }
    return std::optional<Evidence>();
}

// Tensors that are in other places than they were sealed in, since some were renamed, added or removed: read with
// the keys of the places that they had, and put back if the seal lists them all. What was `seen` if nothing moved.
Result<Evidence> gather_in_place(const model::Model& model, const CheckKey& key, Evidence seen,
                                 const Located& where, const Pass& pass, Progress& progress) {
    const auto length = seen.scan.block_map->block_elements();
    MODELSEAL_TRY_ASSIGN(auto ordinals, sealed_ordinals(model, *seen.scan.block_map, key.secret.bytes()));
    if (!std::ranges::equal(ordinals, seen.scan.block_map->ordinals())) {
        auto block_map = std::make_unique<const BlockMap>(model.tensors, length, std::move(ordinals));
        MODELSEAL_TRY_ASSIGN(auto moved, gather_at(model, key, std::move(block_map), where, pass, progress));
        if (moved.matches.signature) seen = std::move(moved);
    }
    if (!seen.matches.signature) return seen;
    const auto& part = seen.recovered.manifest->signed_part;
    const auto directory = decode_directory(part.directory, part.tensors);
    auto renamed = directory ? under_names(model, *seen.scan.block_map, *directory) : std::nullopt;
    if (!renamed) return seen;
    return gather_renamed(std::move(*renamed), key, length, where, pass, progress);
}

bool may_have_moved(const Evidence& evidence) {
    return evidence.scan.weights.version == Version::two && !evidence.weights_intact() &&
           (!evidence.matches.signature || !evidence.matches.tensor_list || !evidence.names_here.empty());
}

Result<std::optional<Evidence>> gather_by_its_rule(const model::Model& model, const CheckKey& key,
                                                   const Pass& pass, Progress& progress) {
    MODELSEAL_TRY_ASSIGN(auto found, find_seal(model, key.secret.bytes()));
    if (!found && pass.known != nullptr) return std::optional<Evidence>();
    if (!found) return gather_unwrapped(model, key, pass, progress);
    MODELSEAL_TRY_ASSIGN(auto evidence,
                         gather_at(model, key, std::move(found->block_map), found->where, pass, progress));
    if (pass.known != nullptr || !may_have_moved(evidence)) return std::optional(std::move(evidence));
    MODELSEAL_TRY_ASSIGN(auto in_place,
                         gather_in_place(model, key, std::move(evidence), found->where, pass, progress));
    return std::optional(std::move(in_place));
}

bool covers_everything(const std::optional<Evidence>& evidence) {
    return evidence && evidence->matches.signature &&
           evidence->recovered.manifest->signed_part.rule == model::FolderRule::everything;
}

// Whether the two rules take different files for the model.
bool rules_differ(const model::Model& model) {
    return model.folder && model.rule == model::FolderRule::everything &&
           std::ranges::any_of(model.files, model::is_left_out_by_name, &model::ModelFile::path);
}

}  // namespace

Result<std::optional<Evidence>> gather(const model::Model& model, const CheckKey& key, const Pass& pass,
                                       Progress& progress) {
    MODELSEAL_TRY_ASSIGN(auto evidence, gather_by_its_rule(model, key, pass, progress));
    if (covers_everything(evidence) || !rules_differ(model) || pass.known != nullptr) return evidence;
    auto earlier = model::open_model_folder(model.path, model.limits, model::FolderRule::by_name);
    if (!earlier) return evidence;
    const auto reread = std::make_shared<const model::Model>(std::move(earlier).value());
    MODELSEAL_TRY_ASSIGN(auto by_name, gather_by_its_rule(*reread, key, pass, progress));
    if (!by_name || !by_name->matches.signature) return evidence;
    // Files were added to a folder of which the seal covers everything: they are part of its frame.
    if (covers_everything(by_name)) {
        MODELSEAL_TRY_ASSIGN(by_name->scan.frame, scan_frame(model, pass.jobs, progress));
    }
    if (!by_name->reread) by_name->reread = reread;
    return by_name;
}

}  // namespace modelseal::mark

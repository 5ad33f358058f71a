// What a model shows under one check key, before it is judged (verdict.h). Each step of gathering has a result
// of its own: what was read, what was recovered from the cells, what the cells should hold, and what matches.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mark/checking/locate.h"
#include "mark/checking/recovered_checks.h"
#include "mark/frame_scan.h"
#include "mark/layout.h"
#include "mark/weight_scan.h"
#include <modelseal/keys.h>

namespace modelseal::mark {

// Read from the model: its blocks and cells as they were located, and the digests of all its bytes.
struct SealScan {
    std::unique_ptr<const BlockMap> block_map;
    CellMap cells;
    WeightScan weights;
    FrameScan frame;
};

// Recovered from cells that are valid.
struct RecoveredSeal {
    std::optional<Manifest> manifest;  // if its signed part survived; the common table as far as it did
    SealedChecks checks;               // where no copy survived: of the block as it is now
};

// What the cells should hold, by a manifest whose signature holds.
struct ExpectedCells {
    CellLayout layout;
    std::vector<std::byte> manifest;  // encoded
    // Whether every cell that is valid holds what the layout says. Else the layout may have been drawn for
    // capacities that a change has altered, and says nothing about damaged cells.
    bool certain = false;
    bool all_valid = false;  // every slot
};

// What holds. Without a manifest, or with a signature that does not hold, nothing is looked into.
struct SealMatches {
    bool signature = false;  // the vendor signed the manifest
    // The tensors are those that were sealed, as far as can be told: in version 1 by name, type and shape; in
    // version 2 a name is part of the frame.
    bool tensor_list = true;
    bool cells = false;        // every cell holds, bit by bit, what it should
    bool weights = false;      // the weights are those that were signed
    bool folder_rule = false;  // the files at hand were listed by the rule of the seal
    bool frame = false;        // so they were, and their frames are those that were signed
};

struct Evidence {
    // Not the model that was given, but the folder by the earlier rule, if it was sealed by that, or the tensors
    // under their sealed names.
    std::shared_ptr<const model::Model> reread;
    // The model that everything here is about; only `scan.frame` is that of the given one, if the seal covers
    // everything.
    const model::Model& model(const model::Model& given) const { return reread ? *reread : given; }

    SealScan scan;
    RecoveredSeal recovered;
    // How the file at hand calls the tensors, if not as they were sealed: in the order of model().tensors.
    std::vector<std::string> names_here;
    std::optional<ExpectedCells> expected;  // absent if no layout can be drawn on what is left
    SealMatches matches;

    // What a slot of the expected layout should hold; made when it is asked for, since all of them together are much of a
    // large model. Precondition: `expected`.
    std::vector<std::byte> content_of(std::size_t slot) const;

    bool weights_intact() const { return matches.signature && matches.cells && matches.weights; }
    bool intact() const { return weights_intact() && matches.frame; }
};

// Nothing if there is no seal under this key. `model` must outlive the evidence. A folder that holds files
// which the earlier rule left out is read by that rule as well, unless its seal says that it covers everything. Where some
// blocks are known (Pass::known) no file is opened again, since what is there need not be what is known: then tensors
// that were renamed or moved are changed ones.
Result<std::optional<Evidence>> gather(const model::Model& model, const CheckKey& key, const Pass& pass,
                                       Progress& progress);

// The same of a seal that was located before: with this cut into blocks.
Result<Evidence> gather_at(const model::Model& model, const CheckKey& key,
                           std::unique_ptr<const BlockMap> block_map, const Located& where, const Pass& pass,
                           Progress& progress);

// The same of the copy that a sealer wrote while it `scanned` the model: the bytes that were hashed are those that were
// written, apart from blocks with a cell. So these and the frame are read, and nothing else. Nothing if there is no seal,
// or if something else was written than marks.
Result<std::optional<Evidence>> gather_written(const model::Model& copy, const CheckKey& key,
                                               const WeightScan& scanned, unsigned jobs);

}  // namespace modelseal::mark

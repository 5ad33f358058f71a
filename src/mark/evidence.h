// What a model says under one check key: everything read and computed, before it is judged (verdict.h).
#pragma once

#include <memory>
#include <optional>

#include "mark/frame_digest.h"
#include "mark/locate.h"
#include "mark/plan.h"
#include "mark/scan.h"
#include <modelseal/keys.h>

namespace modelseal::mark {

struct Evidence {
    // The folder by the earlier rule, if it was sealed by that: not the model that was given.
    std::shared_ptr<const model::Model> reread;
    // The model that everything here is about; only `frame` is that of the given one, if the seal covers
    // everything.
    const model::Model& model(const model::Model& given) const { return reread ? *reread : given; }

    std::unique_ptr<const Geometry> geometry;  // under which the seal was found
    CellMap cells;
    Scan scan;
    FrameScan frame;
    std::optional<Manifest> manifest;  // if its signed part survived; tables as far as they did
    // What the sealer noted of each block, where a copy survived.
    std::vector<std::optional<CheckValue>> recorded;
    std::optional<Arrangement> arrangement;  // as signed; absent if it cannot be drawn on what is left
    bool chart_certain = false;              // every cell that is whole holds what the arrangement says
    // Content of each place; own tables of damaged tensors are unknown.
    std::vector<std::vector<std::byte>> expected;
    bool tensor_list_same = true;  // as far as can be told

    bool signature_holds = false;  // the vendor signed what the manifest claims
    bool cells_hold = false;       // every cell holds, bit by bit, what it should
    bool weights_match = false;    // the weights are those that were signed
    bool rule_matches = false;     // the files at hand were listed by the rule of the seal
    bool frame_matches = false;    // so they were, and their frames are those that were signed

    bool weights_intact() const { return signature_holds && cells_hold && weights_match; }
    bool intact() const { return weights_intact() && frame_matches; }
};

// Nothing if there is no seal under this key. `model` must outlive the evidence. A folder that holds files
// which the earlier rule left out is read by that rule as well, unless its seal says that it covers everything.
Result<std::optional<Evidence>> gather(const model::Model& model, const CheckKey& key, const Pass& pass,
                                       io::Progress& progress);

// The same of a seal whose layout is known: cut into blocks so, and its cells laid out so.
Result<Evidence> gather_at(const model::Model& model, const CheckKey& key, std::unique_ptr<const Geometry> cut,
                           const Located& located, const Pass& pass, io::Progress& progress);

}  // namespace modelseal::mark

// The frame: every byte of a model's files that is not the value of a tensor element. Names, shapes, graph,
// code, padding. Tensors and frame together cover each file without a gap.
//
// A varint has one spelling only, the shortest, or its file is refused; so its value covers its bytes, and
// they are not frame. The fields of a Checksum are frame; code that digests the frame masks them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "model/model.h"
#include <modelseal/result.h>

namespace modelseal::model {

struct Range {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  // never 0
    friend bool operator==(const Range&, const Range&) = default;
};

// The place of one segment in the model; for walking files instead of tensors.
struct SegmentPlace {
    std::uint32_t tensor = 0;   // index into Model::tensors
    std::uint32_t segment = 0;  // index into Tensor::segments
};

// All segments in the order of files and offsets. Valid while the model's tensors are unchanged.
// Thread safety: const calls are safe together.
class FrameMap {
  public:
    explicit FrameMap(const Model& model);

    std::vector<SegmentPlace>::const_iterator begin() const { return places_.begin(); }
    std::vector<SegmentPlace>::const_iterator end() const { return places_.end(); }
    const Segment& at(const SegmentPlace& place) const {
        return model_.tensors[place.tensor].segments[place.segment];
    }

    using Visitor = std::function<Result<void>(const Range&)>;
    // Calls the visitor for the frame of files[file] in ascending order, with adjacent ranges joined; an
    // Error of the visitor ends it. Precondition: validate_model() has passed.
    Result<void> for_each_range(std::uint32_t file, const Visitor& visit) const;

  private:
    const Model& model_;
    std::vector<SegmentPlace> places_;
};

// Builds the index for a single call.
Result<void> for_each_frame_range(const Model& model, std::uint32_t file, const FrameMap::Visitor& visit);

}  // namespace modelseal::model

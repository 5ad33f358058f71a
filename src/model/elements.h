// Element ranges of a tensor <-> byte ranges of its files.
//
// A tensor may be in several segments: contiguous, strided, or as protobuf varints. Code that works on
// elements (marks, digests, comparisons) sees one dense little-endian sequence; code that patches a file sees
// where each part of it is. Ranges begin on a group (info(dtype).group_elements) and end on one or with the
// tensor.
//
// Thread safety: everything here is const and may be called from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/model.h"
#include <modelseal/tensor.h>

namespace modelseal::model {

// The part of a requested element range that is in one segment.
struct ElementRun {
    // Dense: exactly the requested elements, with the stride of the tensor's segment (0: contiguous). Varint:
    // the complete segment, because only reading it shows where its elements are.
    Segment where;
    std::uint64_t first = 0;     // index in the tensor of the first requested element
    std::uint64_t elements = 0;  // how many are requested
    std::uint64_t skip = 0;      // elements in `where` before the first requested one; 0 unless varint
};

using RunCallback = std::function<Result<void>(const ElementRun&)>;

// The segments of one tensor with their first element indices, so that a range is found in logarithmic time,
// whatever the number of segments. Keeps a reference: the tensor must outlive the map.
class ElementMap {
  public:
    explicit ElementMap(const Tensor& tensor);

    // Calls back for each run in element order; an Error of the callback ends the walk and is returned.
    // ErrorKind::usage if the range leaves the tensor or cuts a group.
    Result<void> for_each_run(std::uint64_t first, std::uint64_t count, const RunCallback& callback) const;

    // Fills `out` (exactly storage_bytes(dtype, count)) with dense little-endian elements.
    // ErrorKind::malformed for a varint that is not the one spelling of a value that fits the element.
    Result<void> read(const Model& model, std::uint64_t first, std::uint64_t count,
                      std::span<std::byte> out) const;

    const Tensor& tensor() const { return *tensor_; }

  private:
    const Tensor* tensor_;
    std::vector<std::uint64_t> starts_;  // first element of each segment
};

// The same for a single range, without keeping a map.
Result<void> for_each_run(const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                          const RunCallback& callback);
Result<void> read_elements(const Model& model, const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                           std::span<std::byte> out);

// Whether its elements lie one after another in one file.
bool in_one_piece(const Tensor& tensor);

// Reads one varint of `bytes` at `position`, moves `position` after it, and returns its low bits as an
// element of `dtype` (one group for sub-byte types). False unless it is canonical: as few bytes as the value
// needs, and the value within the element: signed types as sign-extended 64-bit numbers, all others unsigned,
// groups of sub-byte elements either way (the caller uses the low byte).
bool decode_varint(std::span<const std::byte> bytes, DType dtype, std::size_t& position, std::uint64_t& value);

}  // namespace modelseal::model

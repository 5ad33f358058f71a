// Digests of the frame: every byte that is not the value of a tensor element, file by file.
//
// The CRC-32 fields that a container keeps over tensors are derived bytes: they are hashed as zeros, and in
// their place stands whether each was right. A field that was wrong when the model was sealed is hashed as it
// is.
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/hash.h"
#include "model/model.h"
#include "model/output.h"
#include <modelseal/progress.h>

namespace modelseal::mark {

struct FrameScan {
    crypto::Digest digest{};            // of all files
    std::vector<crypto::Digest> files;  // each file's name, length and frame, with its checksums' states
    // Like `digest` and `files`, had every checksum been right: equal to what was sealed if a checksum is wrong
    // only because the tensor under it changed.
    crypto::Digest digest_if_right{};
    std::vector<crypto::Digest> files_if_right;
    struct ChecksumState {
        std::size_t file;   // index into the model's files
        std::size_t index;  // into that file's checksums
        bool right;
    };
    std::vector<ChecksumState> checksums;
};

Result<FrameScan> scan_frame(const model::Model& model, unsigned jobs, Progress& progress);

// Rewrites the checksums named as right in `frame` after tensors were written.
Result<void> renew_checksums(const model::Model& model, const FrameScan& frame, unsigned jobs,
                             model::ModelOutput& output);

}  // namespace modelseal::mark

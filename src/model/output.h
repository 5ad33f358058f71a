// A copy of a model while it is written: every file of it, patched as requested, which appears under its name
// only when it is complete.
//
// A single file replaces an earlier one atomically. A folder is written under another name next to its place
// and renamed at once; it must not exist yet. The external data of a file are put next to it; none of these
// files may exist yet.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "io/file.h"
#include "model/model.h"
#include <modelseal/progress.h>

namespace modelseal::model {

class ModelOutput {
  public:
    // Copies all files of `model`, which must outlive the output. ErrorKind::usage if `path` is one of them
    // or is in the model's folder. Nothing is left after an error or without commit().
    static Result<ModelOutput> copy(const Model& model, const std::filesystem::path& path, unsigned jobs,
                                    Progress& progress);
    // The same with nothing in the files yet, for a caller that reads the weights anyway: all elements of all tensors
    // in_one_piece() are to be written, and copy_rest() to be called once, in any order.
    static Result<ModelOutput> reserve(const Model& model, const std::filesystem::path& path);
    Result<void> copy_rest(unsigned jobs);
    ModelOutput(ModelOutput&&) noexcept;
    ~ModelOutput();

    // The current bytes; valid as long as the output.
    const Source& file(std::size_t index) const;
    // The copy as a model, whose layout is the original's; valid as long as the output.
    Model as_model() const;
    // Thread-safe for disjoint ranges.
    Result<void> write(std::size_t file, std::uint64_t offset, std::span<const std::byte> bytes);
    // Sets elements [first, first + count) of a tensor to dense little-endian `bytes`. In varint segments
    // only the lowest seven bits of an element (or of a pair of four bits each) may differ, so that no length changes.
    Result<void> write_elements(const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                                std::span<const std::byte> bytes);
    Result<void> commit();

  private:
    struct State;
    explicit ModelOutput(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::model

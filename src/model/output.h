// A copy of a model under way: every file of it, patched where asked, that appears under its name only when
// whole.
//
// One file replaces an earlier one atomically. A folder is written beside and renamed as a whole; it must not
// exist yet. A file with external data puts those beside it, where none of them may exist yet.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "io/file.h"
#include "io/progress.h"
#include "model/model.h"

namespace modelseal::model {

class ModelOutput {
  public:
    // Copies all files of `model`, which must outlive the output. ErrorKind::usage if `path` is one of them or
    // lies in the model's folder. Nothing is left behind on an error or without commit().
    static Result<ModelOutput> copy(const Model& model, const std::filesystem::path& path, unsigned jobs,
                                    io::Progress& progress);
    ModelOutput(ModelOutput&&) noexcept;
    ModelOutput& operator=(ModelOutput&&) noexcept;
    ~ModelOutput();

    // The bytes as they are now; valid as long as the output.
    const Source& file(std::size_t index) const;
    // The copy as a model, whose layout is the original's; valid as long as the output.
    Model as_model() const;
    // Thread-safe for disjoint ranges.
    Result<void> write(std::size_t file, std::uint64_t offset, std::span<const std::byte> bytes);
    // Elements [first, first + count) of a tensor := dense little-endian `bytes`. In varint segments only the
    // lowest bit of an element may differ from what stands there, so that no length changes.
    Result<void> write_elements(const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                                std::span<const std::byte> bytes);
    Result<void> commit();

  private:
    struct State;
    explicit ModelOutput(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::model

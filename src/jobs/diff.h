// diff: which tensors and element ranges of two models differ, and by how much.
#pragma once

#include <filesystem>

#include "io/progress.h"
#include "report/comparison.h"
#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal {

struct DiffOptions {
    unsigned jobs = 0;          // threads; 0: as many as there are processors
    bool weights_only = false;  // the frame may differ
    Limits limits;
};

// Opens both and compares them, whatever their formats; pair_tensors() pairs the tensors. The result does not
// depend on the number of threads.
Result<Comparison> diff(const std::filesystem::path& a, const std::filesystem::path& b,
                        const DiffOptions& options, io::Progress& progress = io::no_progress());

}  // namespace modelseal

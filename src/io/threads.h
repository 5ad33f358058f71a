// Work on all processors: a loop whose iterations are independent.
#pragma once

#include <cstddef>
#include <functional>

#include <modelseal/result.h>

namespace modelseal::io {

// Processors that this process may use, at least 1, at most 64.
unsigned default_jobs();

// Calls work(index, worker) once for each index in [0, count), in any order, on up to `jobs` threads (0:
// default_jobs()), including the caller's. `worker` < jobs identifies the thread, for buffers of its own.
// Starts no thread if there is nothing to share. Of several errors the one with the lowest index is returned,
// whatever the number of threads; after an error no further call begins. Exceptions of `work` are rethrown to
// the caller.
Result<void> parallel_for(std::size_t count, unsigned jobs,
                          const std::function<Result<void>(std::size_t index, unsigned worker)>& work);

}  // namespace modelseal::io

// Work on all processors: a loop whose rounds are independent.
#pragma once

#include <cstddef>
#include <functional>

#include <modelseal/result.h>

namespace modelseal::io {

// Processors that this process may use, at least 1, at most 64.
unsigned default_jobs();

// Calls work(index, worker) once for each index in [0, count), in no order, on up to `jobs` threads (0:
// default_jobs()), the caller's among them; `worker` < jobs tells them apart, for buffers of their own. Starts
// no thread when there is nothing to share. Of several errors the one of the lowest index is returned, whatever
// the number of threads; after an error no further round is begun. An exception of `work` comes out of the
// call.
Result<void> parallel_for(std::size_t count, unsigned jobs,
                          const std::function<Result<void>(std::size_t index, unsigned worker)>& work);

}  // namespace modelseal::io

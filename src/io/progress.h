// Progress under the name by which the rooms below the jobs call it.
#pragma once

#include <modelseal/progress.h>

namespace modelseal::io {

using modelseal::no_progress;
using modelseal::Progress;

}  // namespace modelseal::io

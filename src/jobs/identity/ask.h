// Asks a model, wherever it is, for the class of pictures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/png.h"
#include "oracle/oracle.h"
#include <modelseal/identity.h>

namespace modelseal::jobs {

// A model that takes the inputs of a mark.
struct Asked {
    std::unique_ptr<oracle::Oracle> oracle;
    std::vector<std::string> warnings;
};

// A file is run in the worker; an endpoint is connected to. Errors of both; `unsupported` for a file that is not
// a classifier.
Result<Asked> open_target(const std::string& target, const IdentityMark& mark, const IdentityTarget& options);

struct Classes {
    std::vector<std::int64_t> labels;  // arg max of the outputs, the lowest class of equals
    std::size_t classes = 0;           // outputs; 0: the answers were labels
};

// In batches of bounded memory. `unsupported` for outputs that are not numbers.
Result<Classes> ask_classes(oracle::Oracle& oracle, const IdentityMark& mark,
                            const std::vector<io::Picture>& pictures, Progress& progress);

}  // namespace modelseal::jobs

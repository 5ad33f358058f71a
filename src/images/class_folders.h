// A data set as a folder for each class; data_set.h states the rules.
#pragma once

#include <string>
#include <vector>

#include "images/data_set.h"
#include "io/folder.h"

namespace modelseal::images {

// Names in the order of their classes: by bytes, or by number if all are decimal numbers. Error `unsupported` for two
// names of one number ("1" and "01").
Result<std::vector<std::string>> in_order_of_classes(std::vector<std::string> names);

// Appends the pictures of `entries`, all regular files, in ascending order of path within their classes. `classes`:
// the folders at the top of `folder`, in any order.
Result<void> read_classes(const io::Folder& folder, const std::vector<std::string>& classes,
                          const std::vector<io::Folder::Entry>& entries, const DataSetOptions& options,
                          LabeledImages& out);

}  // namespace modelseal::images

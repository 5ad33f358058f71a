// How wide the output may be.
#pragma once

namespace modelseal::cli {

// Columns of the terminal that standard output is; 120 where it goes to a file or a pipe.
unsigned output_columns();

}  // namespace modelseal::cli

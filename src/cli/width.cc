#include "cli/width.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace modelseal::cli {

unsigned output_columns() {
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 120;
}

}  // namespace modelseal::cli

#include "cli/width.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace modelseal::cli {

unsigned output_columns() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

}  // namespace modelseal::cli

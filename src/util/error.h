// Errors that several rooms make.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::util {

// "where: what", ErrorKind::malformed. `where` names the file, and the place in it where that is known.
inline Error malformed(std::string_view where, std::string_view what) {
    return {ErrorKind::malformed, std::string(where) + ": " + std::string(what), {}};
}

}  // namespace modelseal::util

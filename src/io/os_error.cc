#include "io/os_error.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::io {

namespace {
struct Words {
    std::string_view reason;
    std::string_view hint;
};

// The codes that people meet; empty for the others.
Words words_for(int code) {
    switch (code) {
        case ENOENT:
            return {"not found", "check the path for a typing mistake"};
        case ENOTDIR:
            return {"a part of the path is not a folder", {}};
        case EACCES:
        case EPERM:
            return {"permission denied", "check the permissions of the file and of its folders"};
        case EISDIR:
            return {"is a directory", {}};
        case EEXIST:
            return {"exists already", "choose another name, or remove it first"};
        case ENOSPC:
            return {"no space left on the device", "free some space, or write to another disk"};
        case EDQUOT:
            return {"the disk quota is used up", "free some space, or write to another disk"};
        case EFBIG:
            return {"larger than the system lets a file be", "see ulimit -f and the file system's limit"};
        case EROFS:
            return {"the file system is read-only", "write to another folder"};
        case ELOOP:
            return {"is a symbolic link, or one of a loop of them", {}};
        case ENAMETOOLONG:
            return {"the name is too long", {}};
        case EMFILE:
        case ENFILE:
            return {"too many open files", "raise the limit: ulimit -n"};
        case EIO:
            return {"input/output error", "the disk or its connection is failing"};
        default:
            return {};
    }
}
}  // namespace

Error os_error(int code, std::string_view name, std::string_view doing) {
    const auto words = words_for(code);
    const auto reason =
        words.reason.empty() ? std::generic_category().message(code) : std::string(words.reason);
    return {ErrorKind::unreadable, fmt::format("{}: cannot {}: {}", util::printable(name), doing, reason),
            std::string(words.hint)};
}

}  // namespace modelseal::io

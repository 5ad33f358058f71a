#include "io/irreplaceable.h"

#include <string>

#include <fmt/format.h>

#include "io/file.h"
#include "io/file_kind.h"
#include "util/text.h"

namespace modelseal::io {

std::optional<std::string_view> irreplaceable_kind(const Source& source) {
    const auto kind = kind_of(source);
    return kind && !kind->irreplaceable.empty() ? std::optional(kind->irreplaceable) : std::nullopt;
}

Result<void> refuse_to_replace(const std::filesystem::path& path) {
    const auto there = FileSource::open(path, path.string());
    const auto kind = there.ok() ? irreplaceable_kind(**there) : std::nullopt;
    if (!kind) return {};
    return Error{ErrorKind::usage,
                 fmt::format("{}: is a {}, which is never overwritten", util::printable(path.string()), *kind),
                 "give another path for the output, or move this file first"};
}

}  // namespace modelseal::io

#include "cli/options/outputs.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "io/file.h"
#include "io/irreplaceable.h"
#include "oms/tree.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kHead = 1u << 20;  // enough to see the type of any tool's signature

// weakly_canonical() leaves a relative path relative if no part of it exists.
fs::path place(const std::string& path) {
    std::error_code ignored;
    return fs::weakly_canonical(fs::absolute(path, ignored), ignored);
}

Error is_taken(const std::string& output, const char* by) {
    return {ErrorKind::usage, fmt::format("{}: is {} of this command as well", util::printable(output), by),
            "give the output another name"};
}

Result<void> refuse_missing_folder(const std::string& output) {
    std::error_code ignored;
    const auto folder = (fs::path(output) / "").parent_path().parent_path();  // "folder/" is an output as well
    if (folder.empty() || fs::exists(fs::symlink_status(folder, ignored))) return {};
    const auto name = util::printable(folder.string());
    return Error{ErrorKind::unreadable,
                 util::printable(output) + ": cannot be written: there is no folder '" + name + "'",
                 "'mkdir -p " + name + "' makes it"};
}

// How files that modelseal writes begin.
bool begins_as(std::string_view head, OutputKind kind) {
    switch (kind) {
        case OutputKind::page:
            return head.starts_with("<!doctype html>");
        case OutputKind::picture:
            return head.starts_with("\x89PNG\r\n\x1a\n");
        case OutputKind::signature:
            return head.starts_with('{') && head.find("vnd.dev.sigstore.bundle") != head.npos;
        case OutputKind::notes:
            return !head.starts_with('{') && !head.starts_with('[') && head.find('\0') == head.npos;
    }
    return false;
}

const char* name_of(OutputKind kind) {
    switch (kind) {
        case OutputKind::page:
            return "an HTML page";
        case OutputKind::picture:
            return "a PNG picture";
        case OutputKind::signature:
            return "a signature";
        case OutputKind::notes:
            return "a text";
    }
    return "";
}

bool is_among(const std::string& output, const std::vector<std::string>& others) {
    std::error_code ignored;
    return std::ranges::any_of(others, [&](const std::string& other) {
        return !other.empty() && (fs::equivalent(output, other, ignored) || place(output) == place(other));
    });
}

}  // namespace

Result<void> refuse_same_output(const std::string& output, const std::vector<std::string>& outputs) {
    if (output.empty() || !is_among(output, outputs)) return {};
    return is_taken(output, "another output");
}

Result<void> refuse_overwriting(const std::string& output, const std::vector<std::string>& inputs) {
    if (output.empty()) return {};
    if (is_among(output, inputs)) return is_taken(output, "an input");
    MODELSEAL_TRY(refuse_missing_folder(output));
    return io::refuse_to_replace(output);
}

Result<void> refuse_existing_key(const std::string& path) {
    std::error_code ignored;
    if (path.empty()) return {};
    MODELSEAL_TRY(refuse_missing_folder(path));
    if (!fs::exists(fs::symlink_status(path, ignored))) return {};
    return Error{ErrorKind::unreadable,
                 util::printable(path) + ": exists already, and a key is never overwritten",
                 "choose another name, or move the old key away"};
}

Result<void> refuse_other_content(const std::string& output, OutputKind kind,
                                  const std::vector<std::string>& folders) {
    std::error_code ignored;
    if (output.empty()) return {};
    // Signatures may lie in the folder: seals do not cover them.
    const auto holds_it = [&](const std::string& folder) {
        return fs::is_directory(folder, ignored) && oms::relative_to(folder, output).has_value();
    };
    if (kind != OutputKind::signature && std::ranges::any_of(folders, holds_it)) {
        return Error{ErrorKind::usage, util::printable(output) + ": would lie in the model, and change it",
                     "give a path outside of the model"};
    }
    if (!fs::is_regular_file(output, ignored)) return {};
    MODELSEAL_TRY_ASSIGN(const auto there, io::FileSource::open(output, output));
    std::string head(std::min<std::uint64_t>(there->size(), kHead), '\0');
    MODELSEAL_TRY(there->read(0, std::as_writable_bytes(std::span(head))));
    if (head.empty() || begins_as(head, kind)) return {};
    return Error{ErrorKind::usage,
                 util::printable(output) + ": exists and is not " + name_of(kind) +
                     ", the only kind of file that this output replaces",
                 "give the output another name, or move this file away first"};
}

}  // namespace modelseal::cli

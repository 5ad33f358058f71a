#include "hook/git/checkout.h"

#include <fmt/format.h>

#include "io/file.h"
#include "model/part.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

namespace fs = std::filesystem;
constexpr unsigned kDeepestModel = 64;
constexpr std::size_t kMostEntries = 2 * model::kMostFiles;  // files and folders

class Planner {
  public:
    Planner(Objects& objects, Contents& contents) : objects_(objects), contents_(contents) {}

    // Names of entries were checked when their tree was read; the path of a part, when its reference was.
    Result<void> add(const std::string& path, const TreeEntry& entry, unsigned depth) {
        if (plan_.files.size() + plan_.folders.size() >= kMostEntries || depth > kDeepestModel) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: more files or folders than a model may have", util::printable(path)),
                         {}};
        }
        switch (entry.kind) {
            case EntryKind::file:
                return add_file(path, entry);
            case EntryKind::folder:
                return add_folder(path, entry, depth);
            case EntryKind::link:
                return refused(path, "a symbolic link, which may lead out of the repository");
            case EntryKind::submodule:
                return refused(path, "a submodule, whose files are not in the push");
        }
        return {};
    }

    // "data/weights.bin" is put into a folder.
    void add_folders_of(const std::string& path) {
        for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
            plan_.folders.push_back(path.substr(0, slash));
    }

    std::uint64_t bytes() const { return plan_.bytes; }
    Checkout take(std::uint64_t bytes) {
        plan_.bytes = bytes;
        return std::move(plan_);
    }

  private:
    Result<void> add_file(const std::string& path, const TreeEntry& entry) {
        MODELSEAL_TRY_ASSIGN(auto content, contents_.locate(entry, path));
        if (!util::checked_add(plan_.bytes, content.bytes, plan_.bytes))
            return refused(path, "a size that cannot be");
        plan_.files.push_back({path, std::move(content)});
        return {};
    }

    Result<void> add_folder(const std::string& path, const TreeEntry& entry, unsigned depth) {
        plan_.folders.push_back(path);
        MODELSEAL_TRY_ASSIGN(const auto tree, objects_.tree(entry.id));
        for (const auto& inner : *tree) MODELSEAL_TRY(add(path + "/" + inner.name, inner, depth + 1));
        return {};
    }

    static Error refused(const std::string& path, std::string_view what) {
        return {ErrorKind::unsupported, fmt::format("{}: {}", util::printable(path), what), {}};
    }

    Objects& objects_;
    Contents& contents_;
    Checkout plan_;
};

}  // namespace

Result<Checkout> plan_checkout(Objects& objects, Contents& contents, const ChangedModel& model) {
    Planner planner(objects, contents);
    std::uint64_t bytes = 0;
    for (const auto& part : model.parts) {
        planner.add_folders_of(part.path);
        MODELSEAL_TRY(planner.add(part.path, part.entry, 0));
        if (&part == &model.parts.front()) bytes = planner.bytes();
    }
    return planner.take(bytes);
}

Result<void> write_checkout(Contents& contents, const Checkout& checkout, const fs::path& folder) {
    for (const auto& inner : checkout.folders) {
        std::error_code failed;
        fs::create_directory(folder / inner, failed);  // one that is there already is not an error
        if (failed) return io::os_error(failed.value(), inner, "make the folder");
    }
    for (const auto& file : checkout.files)
        MODELSEAL_TRY(contents.place(file.content, file.path, folder / file.path));
    return {};
}

}  // namespace modelseal::hook

// torch.save since 1.6, TorchScript and lite-interpreter files: a zip archive of
//   NAME/data.pkl  NAME/data/KEY..  NAME/byteorder?  NAME/version
// TorchScript adds NAME/code/.., NAME/constants.pkl and NAME/constants/KEY; the lite interpreter adds
// NAME/bytecode.pkl, whose storages lie in constants/ too, or in bytecode/ where there is no constants.pkl.
// Storages are stored, never packed; their CRC-32s are the archive's Checksums.
#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <zlib.h>

#include "formats/pytorch/storages.h"
#include "formats/pytorch/types.h"
#include "formats/reader.h"
#include "formats/registry.h"
#include "formats/zip.h"
#include "util/text.h"

namespace modelseal::formats::pytorch {
namespace {

constexpr std::string_view kObject = "data.pkl";

bool is_object_entry(std::string_view name) {
    return name == kObject || name.ends_with("/data.pkl");
}

// The name of the archive's first entry, for a file whose directory is lost.
std::string first_name(const Source& source) {
    Reader reader(source, 26, 30);
    const auto bytes = reader.u16();
    if (!bytes.ok()) return {};
    auto name = Reader(source, 30, source.size()).string(*bytes, 4096, "a name");
    return name.ok() ? std::move(name).value() : std::string();
}

// A truncated file is recognized only if its first entry is one that PyTorch writes first.
bool begins_like_pytorch(const Source& source) {
    const auto name = first_name(source);
    const auto slash = name.find('/');
    if (slash == std::string::npos) return false;
    const auto rest = std::string_view(name).substr(slash + 1);
    return rest == kObject || rest == "version" || rest == "byteorder" || rest.starts_with("data/") ||
           rest.starts_with("code/__torch__") || rest.starts_with("constants/");
}

bool recognises_zip(const Source& source) {
    if (!looks_like_zip(source)) return false;
    const auto directory = read_zip_directory(source, {});
    if (!directory.ok()) return begins_like_pytorch(source);
    return std::ranges::any_of(directory->entries,
                               [](const ZipEntry& entry) { return is_object_entry(entry.name); });
}

class Archive {
  public:
    static Result<Archive> open(const Source& source, const Limits& limits);

    // "archive holds 2 members that PyTorch does not read, 'archive/evil.pkl' first"; nullopt if there are none.
    std::optional<std::string> strange_members() const;

    // `name` without the archive's folder; null if there is none.
    const ZipEntry* find(std::string_view name) const {
        const auto found = by_name_.find(root_ + std::string(name));
        return found != by_name_.end() ? &entries_[found->second] : nullptr;
    }

  private:
    Result<void> find_root(const Source& source);
    Result<void> check_case(const Source& source) const;

    std::vector<ZipEntry> entries_;
    std::map<std::string, std::size_t> by_name_;
    std::string root_;  // "archive/"
};

// A distributed checkpoint has an archive for each tensor in one file.
Error is_distributed(const Source& source) {
    return {ErrorKind::unsupported,
            fmt::format("{}: is part of a distributed checkpoint (DCP), which is not supported", source.name()),
            "convert it with 'python -m torch.distributed.checkpoint.format_utils dcp_to_torch DIR FILE'"};
}

Result<Archive> Archive::open(const Source& source, const Limits& limits) {
    if (is_zip_sequence(source)) return is_distributed(source);
    Archive archive;
    MODELSEAL_TRY_ASSIGN(archive.entries_, read_zip(source, limits));
    for (std::size_t i = 0; i < archive.entries_.size(); ++i) {
        archive.by_name_.emplace(archive.entries_[i].name, i);
    }
    MODELSEAL_TRY(archive.find_root(source));
    MODELSEAL_TRY(archive.check_case(source));
    return archive;
}

Result<void> Archive::find_root(const Source& source) {
    const ZipEntry* object = nullptr;
    for (const auto& entry : entries_) {
        const auto slash = entry.name.find('/');
        const bool on_top = slash == std::string::npos || entry.name.substr(slash + 1) == kObject;
        if (!on_top || !is_object_entry(entry.name)) continue;
        if (object != nullptr) {
            return malformed_at(source, entry.header,
                                fmt::format("contains both {} and {}, so the model is ambiguous",
                                            shown(*object), shown(entry)));
        }
        object = &entry;
    }
    if (object == nullptr || object->name == kObject) {
        return malformed_at(source, object != nullptr ? object->header : 0,
                            "not a PyTorch archive: data.pkl is not in its only top folder");
    }
    root_ = object->name.substr(0, object->name.size() - kObject.size());
    return {};
}

// PyTorch's own reader finds entries whatever their case, others do not: they must see the same ones.
Result<void> Archive::check_case(const Source& source) const {
    std::vector<std::pair<std::string, const ZipEntry*>> folded;
    for (const auto& entry : entries_) {
        auto name = entry.name;
        std::ranges::transform(name, name.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        if (!name.starts_with(root_ + "code/")) folded.emplace_back(std::move(name), &entry);
    }
    std::ranges::sort(folded);
    const auto twice = std::ranges::adjacent_find(folded, {}, &std::pair<std::string, const ZipEntry*>::first);
    if (twice == folded.end()) return {};
    return malformed_at(
        source, twice->second->header,
        fmt::format("{} and {} differ only in case", shown(*twice->second), shown(*std::next(twice)->second)));
}

// What torch.save, TorchScript and the lite interpreter write, besides folders.
bool is_known_member(std::string_view name) {
    constexpr std::string_view kFiles[] = {
        kObject,   "constants.pkl", "bytecode.pkl",    "attributes.pkl",     "byteorder",
        "version", "model.json",    ".format_version", ".storage_alignment", "mobile_debug_handles.pkl"};
    constexpr std::string_view kFolders[] = {"data/",    "constants/", "code/",  "bytecode/",
                                             "tensors/", ".data/",     "extra/", "attributes/"};
    return std::ranges::find(kFiles, name) != std::end(kFiles) ||
           std::ranges::any_of(kFolders, [&](std::string_view folder) { return name.starts_with(folder); });
}

std::optional<std::string> Archive::strange_members() const {
    std::uint64_t count = 0;
    const ZipEntry* first = nullptr;
    for (const auto& entry : entries_) {
        const std::string_view name = entry.name;
        if (name.ends_with('/') || (name.starts_with(root_) && is_known_member(name.substr(root_.size()))))
            continue;
        if (first == nullptr) first = &entry;
        ++count;
    }
    if (first == nullptr) return std::nullopt;
    return count == 1 ? fmt::format("{} is a member of the archive that PyTorch does not read", shown(*first))
                      : fmt::format("{} and {} of the archive are members that PyTorch does not read",
                                    shown(*first), util::counted(count - 1, "more entry"));
}

Result<void> check_byte_order(const Source& source, const Archive& archive) {
    const auto* entry = archive.find("byteorder");
    if (entry == nullptr) return {};  // before 2.1; all of those that are known are little-endian
    MODELSEAL_TRY_ASSIGN(const auto bytes, zip_contents(source, *entry, 64));
    const std::string order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (order == "little") return {};
    if (order != "big") {
        return malformed_at(source, entry->data,
                            fmt::format("unknown byte order '{}'", util::printable(order)));
    }
    auto error = unsupported_at(source, entry->data, "its tensors are big-endian, which is not supported");
    error.hint = "load and save it on a little-endian machine";
    return error;
}

// Walks one pickle of the archive, if it is there.
Result<void> read_part(const Source& source, const Limits& limits, const Archive& archive, const Part& part,
                       Storages& storages, std::vector<std::string>& warnings) {
    const auto* entry = archive.find(part.name);
    if (entry == nullptr) return {};
    MODELSEAL_TRY_ASSIGN(const auto bytes, zip_contents(source, *entry, limits.metadata_bytes));
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    if (crc != entry->crc) {
        warnings.push_back(fmt::format("pickle {} does not match its CRC-32 in the archive", part.name));
    }
    const MemorySource memory(fmt::format("{}: {}", source.name(), part.name), bytes);
    Reader reader(memory);
    const PickleLimits caps{.memory_bytes = limits.metadata_bytes};
    MODELSEAL_TRY_ASSIGN(const auto pickle, Pickle::walk(reader, caps));
    if (reader.left() != 0) {
        return reader.malformed(
            fmt::format("pickle: {} after its end", util::counted(reader.left(), "unexplained byte")));
    }
    warn_about_globals(pickle, part.name, warnings);
    return collect(pickle, part, source, limits, storages, warnings);
}

Result<Storages> read_pickles(const Source& source, const Limits& limits, const Archive& archive,
                              std::vector<std::string>& warnings) {
    const bool has_constants = archive.find("constants.pkl") != nullptr;
    const Part parts[] = {
        {.name = kObject, .prefix = "", .folder = "data/", .rank = 0},
        {.name = "constants.pkl", .prefix = "constants", .folder = "constants/", .rank = 1},
        {.name = "bytecode.pkl",
         .prefix = "bytecode",
         .folder = has_constants ? "constants/" : "bytecode/",
         .rank = 2},
    };
    Storages storages;
    for (const auto& part : parts) {
        MODELSEAL_TRY(read_part(source, limits, archive, part, storages, warnings));
    }
    return storages;
}

Result<void> check_storage(const Source& source, const std::string& place, const Storage& storage,
                           const ZipEntry* entry) {
    if (entry != nullptr && entry->stored() && !entry->encrypted() && entry->size == storage.bytes) return {};
    const auto who = fmt::format("tensor '{}'", util::printable(tensor_of(storage, 0).name));
    if (entry == nullptr) {
        return malformed_at(source, 0,
                            fmt::format("{}: its storage {} is missing", who, util::printable(place)));
    }
    if (entry->encrypted()) {
        return unsupported_at(source, entry->header, fmt::format("{}: {} is encrypted", who, shown(*entry)));
    }
    if (!entry->stored()) {
        auto error =
            unsupported_at(source, entry->header, fmt::format("{}: {} is compressed", who, shown(*entry)));
        error.hint = "load the file with PyTorch and save it again: PyTorch stores tensors uncompressed";
        return error;
    }
    return malformed_at(source, entry->data,
                        fmt::format("{}: needs a storage of {}, {} has {}", who,
                                    util::counted(storage.bytes, "byte"), shown(*entry), entry->size));
}

Checksum checksum_of(const ZipEntry& entry) {
    Checksum checksum{.offset = entry.data, .bytes = entry.size};
    for (const auto field : {entry.local_crc, entry.descriptor_crc, entry.central_crc}) {
        if (field != 0) checksum.fields.push_back(field);
    }
    return checksum;
}

Result<Layout> parse_zip(const Source& source, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(const auto archive, Archive::open(source, limits));
    MODELSEAL_TRY(check_byte_order(source, archive));
    Layout layout{.format = kZipFormat.name};
    if (auto strange = archive.strange_members()) layout.warnings.push_back(std::move(*strange));
    MODELSEAL_TRY_ASSIGN(const auto storages, read_pickles(source, limits, archive, layout.warnings));
    for (const auto& [place, storage] : storages) {
        const auto* entry = archive.find(place);
        MODELSEAL_TRY(check_storage(source, place, storage, entry));
        layout.tensors.push_back(tensor_of(storage, entry->data));
        if (entry->size != 0) layout.checksums.push_back(checksum_of(*entry));
    }
    order_and_name(layout.tensors);
    std::ranges::sort(layout.checksums, {}, &Checksum::offset);
    return layout;
}

}  // namespace

const Format kZipFormat = {"pytorch", recognises_zip, parse_zip};

}  // namespace modelseal::formats::pytorch

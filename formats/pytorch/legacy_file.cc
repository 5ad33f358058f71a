// torch.save before 1.6, or with _use_new_zipfile_serialization=False: pickles one after another, then
// storages.
//   magic number | protocol version 1001 | {"little_endian": .., "type_sizes": ..} | the object | [storage key,
//   ..] then for each key, in the order of that list: u64 number of elements | the elements
// The even older tar archives are recognized by name and not read.
#include <array>
#include <set>

#include <fmt/format.h>

#include "formats/pytorch/pickle.h"
#include "formats/pytorch/storages.h"
#include "formats/pytorch/types.h"
#include "formats/reader.h"
#include "formats/registry.h"
#include "util/text.h"

namespace modelseal::formats::pytorch {
namespace {

constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // 0x1950a86a20f9469cfc6c
constexpr std::int64_t kVersion = 1001;
constexpr std::string_view kPart = "the object";  // the pickle with the tensors, in messages

bool is_magic(const Pickle& pickle) {
    return pickle.is(pickle.root(), PickleKind::big_integer) && pickle.text(pickle.root()) == kLegacyMagic;
}

// PyTorch 0.1.1 to 0.1.9 wrote tar archives with these members.
bool is_tar(const Source& source) {
    std::array<char, 512> block{};
    if (source.size() < block.size() || !source.read(0, std::as_writable_bytes(std::span(block))).ok())
        return false;
    const std::string_view text(block.data(), block.size());
    const auto name = text.substr(0, text.find('\0'));
    return text.substr(257, 5) == "ustar" &&
           (name == "storages" || name == "tensors" || name == "pickle" || name == "sys_info");
}

bool recognises_legacy(const Source& source) {
    if (is_tar(source)) return true;
    Reader reader(source, 0, 64);
    const auto first = Pickle::walk(reader, {.memory_bytes = 4096, .steps = 8});
    return first.ok() && is_magic(*first);
}

Result<void> read_magic(Reader& reader) {
    MODELSEAL_TRY_ASSIGN(const auto magic, Pickle::walk(reader, {.memory_bytes = 4096, .steps = 8}));
    if (!is_magic(magic)) return reader.malformed("does not begin with PyTorch's magic number");
    MODELSEAL_TRY_ASSIGN(const auto version, Pickle::walk(reader, {.memory_bytes = 4096, .steps = 8}));
    const auto root = version.root();
    if (!version.is(root, PickleKind::integer)) return reader.malformed("the protocol version is not a number");
    if (version.integer(root) == kVersion) return {};
    auto error = reader.malformed(
        fmt::format("protocol version {} is not supported; {} is", version.integer(root), kVersion));
    error.kind = ErrorKind::unsupported;
    return error;
}

Result<void> read_system(Reader& reader) {
    MODELSEAL_TRY_ASSIGN(const auto system, Pickle::walk(reader, {.memory_bytes = 64u << 10, .steps = 1000}));
    if (!system.is(system.root(), PickleKind::dict)) {
        return reader.malformed("the description of the system is not a dict");
    }
    const auto pairs = system.pairs(system.root());
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        if (system.text(pairs[i]) != "little_endian" || system.integer(pairs[i + 1]) != 0) continue;
        auto error = reader.malformed("its tensors are big-endian, which is not supported");
        error.kind = ErrorKind::unsupported;
        error.hint = "load and save it on a little-endian machine";
        return error;
    }
    return {};
}

Result<std::vector<std::string>> read_keys(Reader& reader, const PickleLimits& limits) {
    MODELSEAL_TRY_ASSIGN(const auto list, Pickle::walk(reader, limits));
    if (!list.is(list.root(), PickleKind::list))
        return reader.malformed("no list of storages after the object");
    std::vector<std::string> keys;
    std::set<std::string_view> seen;
    for (const auto item : list.items(list.root())) {
        if (!list.is(item, PickleKind::text)) return reader.malformed("the key of a storage is not a text");
        if (!seen.insert(list.text(item)).second) {
            return reader.malformed(
                fmt::format("storage '{}' is listed twice", util::printable(list.text(item))));
        }
        keys.emplace_back(list.text(item));
    }
    return keys;
}

// The storage at `at`; moves `at` after it. Reads its size and nothing else.
Result<Tensor> read_storage(const Source& source, const Storage& storage, std::uint64_t& at) {
    const auto malformed = [&](const std::string& what) {
        return malformed_at(source, at,
                            fmt::format("tensor '{}': {}", util::printable(tensor_of(storage, at).name), what));
    };
    if (source.size() - at < 8) return malformed("the file ends before its storage");
    MODELSEAL_TRY_ASSIGN(const auto elements, Reader(source, at, at + 8).u64());
    if (elements != storage.bytes / storage.unit_bytes) {
        return malformed(fmt::format("needs {}, its storage has {}",
                                     util::counted(storage.bytes / storage.unit_bytes, "element"), elements));
    }
    const auto left = source.size() - at - 8;
    if (storage.bytes > left) {
        return malformed(
            fmt::format("needs {}, the file has {} left", util::counted(storage.bytes, "byte"), left));
    }
    auto tensor = tensor_of(storage, at + 8);
    at += 8 + storage.bytes;
    return tensor;
}

Result<std::vector<Tensor>> read_storages(const Source& source, const std::vector<std::string>& keys,
                                          const Storages& storages, std::uint64_t at) {
    std::vector<Tensor> tensors;
    for (const auto& key : keys) {
        const auto found = storages.find(key);
        if (found == storages.end()) {
            return malformed_at(
                source, at, fmt::format("storage '{}' is listed, but no tensor uses it", util::printable(key)));
        }
        MODELSEAL_TRY_ASSIGN(auto tensor, read_storage(source, found->second, at));
        tensors.push_back(std::move(tensor));
    }
    if (tensors.size() != storages.size()) {
        return malformed_at(source, at,
                            fmt::format("the list has {}, but the object uses {}",
                                        util::counted(keys.size(), "storage"), storages.size()));
    }
    if (at != source.size()) {
        return malformed_at(
            source, at,
            fmt::format("{} after the last storage", util::counted(source.size() - at, "unexplained byte")));
    }
    return tensors;
}

Result<Layout> parse_legacy(const Source& source, const Limits& limits) {
    if (is_tar(source)) {
        auto error = unsupported_at(source, 0, "tar archives of PyTorch 0.1 are not supported");
        error.hint = "load it with PyTorch and save it again";
        return error;
    }
    Reader reader(source);
    MODELSEAL_TRY(read_magic(reader));
    MODELSEAL_TRY(read_system(reader));
    const PickleLimits caps{.memory_bytes = limits.metadata_bytes};
    MODELSEAL_TRY_ASSIGN(const auto object, Pickle::walk(reader, caps));
    MODELSEAL_TRY_ASSIGN(const auto keys, read_keys(reader, caps));

    Layout layout{.format = kLegacyFormat.name};
    warn_about_globals(object, kPart, layout.warnings);
    Storages storages;
    MODELSEAL_TRY(collect(object, {.name = kPart}, source, limits, storages, layout.warnings));
    MODELSEAL_TRY_ASSIGN(layout.tensors, read_storages(source, keys, storages, reader.position()));
    order_and_name(layout.tensors);
    return layout;
}

}  // namespace

const Format kLegacyFormat = {"pytorch", recognises_legacy, parse_legacy};

}  // namespace modelseal::formats::pytorch

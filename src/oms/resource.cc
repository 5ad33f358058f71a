#include "oms/resource.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "io/folder.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

constexpr std::size_t kTensorDigest = 32;

std::optional<std::uint64_t> decimal(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good = code == std::errc() && end == text.data() + text.size() && fmt::to_string(number) == text;
    return good ? std::optional(number) : std::nullopt;
}

// "path:begin:end", split at the last two colons: names may have some of their own.
Result<void> split_shard(const Fields& fields, std::uint64_t shard_size, Resource& resource) {
    const auto& name = resource.name;
    const auto second = name.rfind(':');
    const auto first = second == 0 || second == name.npos ? name.npos : name.rfind(':', second - 1);
    const auto begin = first == name.npos
                           ? std::nullopt
                           : decimal(std::string_view(name).substr(first + 1, second - first - 1));
    const auto end = first == name.npos ? std::nullopt : decimal(std::string_view(name).substr(second + 1));
    const bool sound = begin && end && *begin < *end && *begin % shard_size == 0 && *end - *begin <= shard_size;
    if (!sound)
        return fields.malformed(
            fmt::format("'{}' is not a shard of {}", util::printable(name), util::counted(shard_size, "byte")));
    resource.begin = *begin;
    resource.end = *end;
    resource.name.resize(first);
    return {};
}

// The specification names the hash, the reference also how the file was cut.
bool is_algorithm(const std::string& text, const Statement& of) {
    const auto hash = std::string(name_of(of.hash));
    return text == hash || (of.shard_size && text == fmt::format("{}-sharded-{}", hash, *of.shard_size));
}

Result<TensorDigests> read_tensors(const Fields& fields) {
    TensorDigests tensors;
    const auto* annotations = fields.find("annotations");
    if (annotations == nullptr || !annotations->is_object() || !annotations->contains(kTensorsKey))
        return tensors;
    MODELSEAL_TRY_ASSIGN(const auto held, fields.object("annotations"));
    MODELSEAL_TRY_ASSIGN(const auto digests, held.object(kTensorsKey));
    for (const auto& [name, value] : annotations->at(kTensorsKey).items()) {
        auto digest = value.is_string() ? util::from_hex(value.get_ref<const std::string&>()) : std::nullopt;
        if (!digest || digest->size() != kTensorDigest) {
            return digests.malformed(fmt::format("'{}' has no SHA-256", util::printable(name)));
        }
        tensors.emplace(name, std::move(*digest));
    }
    return tensors;
}

}  // namespace

Result<void> check_name(const std::string& name, const Fields& in) {
    const auto refuse = [&](std::string_view why) {
        return in.malformed(fmt::format("the name '{}' {}", util::printable(name), why));
    };
    if (name == kWholeModel) return {};
    if (name.empty()) return in.malformed("the name is empty");
    if (const auto why = io::way_out(name)) return refuse(*why);
    const auto framed = fmt::format("/{}/", name);
    if (framed.find("//") != framed.npos || framed.find("/./") != framed.npos) {
        return refuse("has an empty part, or '.'");
    }
    return {};
}

Result<Resource> read_resource(const Fields& fields, const Statement& of) {
    Resource resource;
    MODELSEAL_TRY_ASSIGN(resource.name, fields.text("name"));
    if (of.shard_size) MODELSEAL_TRY(split_shard(fields, *of.shard_size, resource));
    MODELSEAL_TRY(check_name(resource.name, fields));
    MODELSEAL_TRY_ASSIGN(const auto algorithm, fields.text("algorithm"));
    if (!is_algorithm(algorithm, of)) {
        return fields.malformed(fmt::format("'algorithm' is '{}', but the list is of {}",
                                            util::printable(algorithm), name_of(of.hash)));
    }
    MODELSEAL_TRY_ASSIGN(resource.digest, fields.digest("digest", digest_bytes(of.hash)));
    MODELSEAL_TRY_ASSIGN(resource.tensors, read_tensors(fields));
    return resource;
}

Result<void> check_list(const std::vector<Resource>& resources, bool shards, const Fields& in) {
    // Per file the end of its last shard; signers list the shards of a file in order, readers need not insist
    // on that, but they must find each byte once.
    std::map<std::string_view, std::vector<std::pair<std::uint64_t, std::uint64_t>>> ranges;
    for (const auto& resource : resources) {
        auto& of_file = ranges[resource.name];
        if (!shards && !of_file.empty()) {
            return in.malformed(fmt::format("the name '{}' appears twice", util::printable(resource.name)));
        }
        of_file.emplace_back(resource.begin, resource.end);
    }
    if (ranges.contains(kWholeModel) && ranges.size() > 1) {
        return in.malformed("the name '.' is not the only one");
    }
    if (!shards) return {};
    for (auto& [name, of_file] : ranges) {
        std::sort(of_file.begin(), of_file.end());
        std::uint64_t covered = 0;
        for (const auto& [begin, end] : of_file) {
            if (begin != covered) {
                return in.malformed(fmt::format("the shards of '{}' have a gap or an overlap at offset {}",
                                                util::printable(name), covered));
            }
            covered = end;
        }
    }
    return {};
}

}  // namespace modelseal::oms

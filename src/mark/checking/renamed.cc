#include "mark/checking/renamed.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "model/folder.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

constexpr std::string_view kWrappers[] = {"module.",           "state_dict.", "model.",
                                          "model_state_dict.", "_orig_mod.",  "net."};

using Names = std::vector<std::string>;

// What all names begin with, up to and with its last dot.
std::string common_wrapper(const Names& names) {
    if (names.size() < 2) return {};
    const auto [first, last] = std::ranges::minmax_element(names);
    const auto end = std::ranges::mismatch(*first, *last).in1;
    const std::string_view common(first->begin(), end);
    return std::string(common.substr(0, common.rfind('.') + 1));
}

Names without(const Names& names, std::size_t count) {
    Names shorter;
    for (const auto& name : names) shorter.push_back(name.substr(count));
    return shorter;
}

Names with(const Names& names, std::string_view prefix) {
    Names longer;
    for (const auto& name : names) longer.push_back(std::string(prefix) + name);
    return longer;
}

// The prefix that makes every one of `shorter` the name in `longer` at the same index; empty if there is none.
std::string prefix_between(const Names& shorter, const Names& longer) {
    if (shorter.empty() || longer.front().size() <= shorter.front().size()) return {};
    auto prefix = longer.front().substr(0, longer.front().size() - shorter.front().size());
    return with(shorter, prefix) == longer ? prefix : std::string();
}

// Tensor i of the result is tensor order[i] of the model, under the name sealed[i].
std::optional<RenamedModel> read_again(const model::Model& model, const Names& sealed,
                                       const std::vector<std::size_t>& order) {
    auto again = model.folder ? model::open_model_folder(model.path, model.limits, model.rule)
                              : model::open_model(model.path, model.limits);
    if (!again.ok() || names_of(again->tensors) != names_of(model.tensors)) return std::nullopt;
    RenamedModel renamed;
    auto read = std::make_shared<model::Model>(std::move(again).value());
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < order.size(); ++i) {
        auto& tensor = read->tensors[order[i]];
        renamed.names_here.push_back(std::move(tensor.name));
        tensor.name = sealed[i];
        tensors.push_back(std::move(tensor));
    }
    read->tensors = std::move(tensors);
    renamed.model = std::move(read);
    return renamed;
}

// The tensor for each sealed name: the one that is called so, for the rest those that are left, of each type and
// shape in the order of their ordinals. Names come first: two tensors that have each other's names are not what was
// sealed.
std::optional<std::vector<std::size_t>> pair_up(const BlockMap& block_map, const Names& names,
                                                const std::vector<DirectoryEntry>& sealed) {
    const auto tensors = block_map.tensors();
    constexpr auto kNone = ~std::size_t{0};
    std::map<std::string_view, std::size_t> by_name;
    for (std::size_t i = 0; i < names.size(); ++i) by_name.emplace(names[i], i);
    std::vector<std::size_t> order(sealed.size(), kNone);
    std::vector<bool> taken(tensors.size());
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        const auto found = by_name.find(sealed[i].name);
        if (found == by_name.end() || !same_kind(sealed[i], tensors[found->second])) continue;
        order[i] = found->second;
        taken[found->second] = true;
    }
    std::map<TensorKind, std::vector<std::size_t>> left;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (!taken[i]) left[{tensors[i].dtype, tensors[i].shape}].push_back(i);
    }
    for (auto& [kind, alike] : left)  // the last of each is taken first
        std::ranges::sort(alike, std::greater(), [&](std::size_t i) { return block_map.ordinal(i); });
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        if (order[i] != kNone) continue;
        auto& alike = left[{sealed[i].dtype, sealed[i].shape}];
        if (alike.empty()) return std::nullopt;
        order[i] = alike.back();
        alike.pop_back();
    }
    return order;
}

}  // namespace

Names names_of(std::span<const Tensor> tensors) {
    Names names;
    for (const auto& tensor : tensors) names.push_back(tensor.name);
    return names;
}

std::optional<RenamedModel> under_names(const model::Model& model, const BlockMap& block_map,
                                        const std::vector<DirectoryEntry>& sealed) {
    if (sealed.size() != model.tensors.size()) return std::nullopt;
    Names wanted;
    for (const auto& entry : sealed) wanted.push_back(entry.name);
    auto names = names_of(model.tensors);
    if (const auto gained = prefix_between(wanted, names); !gained.empty()) names = wanted;
    if (const auto lost = prefix_between(names, wanted); !lost.empty()) names = wanted;
    const auto order = pair_up(block_map, names, sealed);
    return order ? read_again(model, wanted, *order) : std::nullopt;
}

std::optional<RenamedModel> under_names(const model::Model& model, const Names& sealed) {
    std::vector<std::size_t> order(model.tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    return read_again(model, sealed, order);
}

std::vector<Names> unwrapped_names(const model::Model& model) {
    const auto names = names_of(model.tensors);
    std::vector<Names> variants;
    const auto common = common_wrapper(names);
    // Names are the file's: without a limit it could ask for thousands of variants.
    constexpr std::size_t kMostParts = 8;
    for (auto end = common.find('.'); end < common.size() && variants.size() < kMostParts;
         end = common.find('.', end + 1))
        variants.push_back(without(names, end + 1));
    for (const auto wrapper : kWrappers) variants.push_back(with(names, wrapper));
    return variants;
}

std::string renaming_text(const Names& sealed, const Names& here) {
    if (sealed == here) return {};
    if (const auto gained = prefix_between(sealed, here); !gained.empty())
        return fmt::format("'{}' was put before every name", util::printable(gained));
    if (const auto lost = prefix_between(here, sealed); !lost.empty())
        return fmt::format("'{}' was taken from every name", util::printable(lost));
    std::size_t changed = 0, first = 0;
    for (std::size_t i = here.size(); i-- > 0;) {
        if (sealed[i] == here[i]) continue;
        ++changed;
        first = i;
    }
    return fmt::format("{} of {} names changed: '{}' was sealed as '{}'", changed, here.size(),
                       util::printable(here[first]), util::printable(sealed[first]));
}

}  // namespace modelseal::mark

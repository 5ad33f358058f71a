#include "jobs/pairing.h"

#include <algorithm>
#include <map>

namespace modelseal {
namespace {

// The tensors of one side that have no partner yet, by name.
using Left = std::map<std::string_view, const Tensor*>;

const Tensor* take(Left& left, std::string_view name) {
    const auto found = left.find(name);
    if (found == left.end()) return nullptr;
    const auto* tensor = found->second;
    left.erase(found);
    return tensor;
}

void pair_by_alias(std::vector<TensorPair>& pairs, const Model& b, Left& left) {
    Left by_alias;
    for (const auto& tensor : b.tensors) {
        for (const auto& alias : tensor.aliases) by_alias.emplace(alias, &tensor);
    }
    for (auto& pair : pairs) {
        if (pair.b != nullptr) continue;
        if (const auto alias = by_alias.find(pair.a->name); alias != by_alias.end()) {
            pair.b = take(left, alias->second->name);
        }
        for (auto alias = pair.a->aliases.begin(); pair.b == nullptr && alias != pair.a->aliases.end();
             ++alias) {
            pair.b = take(left, *alias);
        }
    }
}

void pair_by_alike_name(std::vector<TensorPair>& pairs, Left& left) {
    struct Candidates {
        std::vector<TensorPair*> a;
        std::vector<const Tensor*> b;
    };
    std::map<std::string, Candidates> alike;
    for (auto& pair : pairs) {
        if (pair.b == nullptr) alike[alike_name(pair.a->name)].a.push_back(&pair);
    }
    for (const auto& [name, tensor] : left) alike[alike_name(name)].b.push_back(tensor);
    for (const auto& [name, both] : alike) {
        if (both.a.size() != 1 || both.b.size() != 1 || both.a[0]->a->elements != both.b[0]->elements) continue;
        both.a[0]->b = take(left, both.b[0]->name);
    }
}

}  // namespace

std::vector<TensorPair> pair_tensors(const Model& a, const Model& b) {
    Left left;
    for (const auto& tensor : b.tensors) left.emplace(tensor.name, &tensor);
    std::vector<TensorPair> pairs;
    // All names first, so that nothing else takes the tensor of another's name.
    for (const auto& tensor : a.tensors) pairs.push_back({&tensor, take(left, tensor.name)});
    pair_by_alias(pairs, b, left);
    pair_by_alike_name(pairs, left);
    for (const auto& tensor : b.tensors) {
        if (left.contains(tensor.name)) pairs.push_back({nullptr, &tensor});
    }
    std::ranges::stable_sort(pairs, {}, &TensorPair::name);
    return pairs;
}

std::string alike_name(std::string_view name) {
    for (const std::string_view wrapper : {"state_dict.", "model_state_dict.", "module."}) {
        if (name.starts_with(wrapper)) name.remove_prefix(wrapper.size());
    }
    std::string alike(name);
    std::ranges::replace_if(
        alike, [](char c) { return c == '_' || c == '/' || c == ':' || c == '-'; }, '.');
    return alike;
}

}  // namespace modelseal

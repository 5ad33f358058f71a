// Containers, objects and calls: how a pickle's graph unfolds into dotted paths.
//
// A node that several others share is visited once for each of its places, so that a tied weight gets all its
// names; a graph that unfolds into too many places (a pickle bomb) is visited once a node beyond a limit.

#include "formats/pytorch/collector.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::formats::pytorch {
namespace {

constexpr std::uint64_t kMaxAgain = 1u << 18;
constexpr std::uint32_t kNodesAPart =
    4;  // object, state, dict, call: at most this many nodes per part of a path
constexpr std::uint32_t kMaxNodesDeep = 2000;  // whatever the limits are, because the walk is recursive
constexpr std::uint8_t kOnTheWay = 1, kSeen = 2;

// Calls whose result is, for naming, their first argument.
constexpr std::array<std::string_view, 20> kTransparent = {
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.jit._pickle.restore_type_tag",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_complexlist",
    "builtins.list",
    "builtins.tuple",
    "builtins.set",
    "builtins.frozenset",
    "builtins.dict",
    "__builtin__.list",
    "__builtin__.tuple",
    "__builtin__.set",
    "__builtin__.frozenset",
};

// Python 2 wrote an OrderedDict as a call with a list of [key, value].
constexpr std::string_view kOrderedDict = "collections.OrderedDict";

constexpr std::array<std::string_view, 4> kViews = {
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_qtensor",
};

// Parts of a torch.nn.Module's state that are not part of a parameter's name.
bool is_module_part(std::string_view key) {
    return key == "_modules" || key == "_parameters" || key == "_buffers";
}

}  // namespace

Collector::Collector(const Pickle& pickle, const Part& part, const Source& source, const Limits& limits,
                     Storages& storages)
    : pickle_(pickle),
      part_(part),
      source_(source),
      limits_(limits),
      storages_(storages),
      marks_(pickle.size()),
      max_depth_(limits.depth == 0 || limits.depth > kMaxNodesDeep / kNodesAPart ? kMaxNodesDeep
                                                                                 : limits.depth * kNodesAPart) {
}

Result<void> Collector::run() {
    if (!part_.prefix.empty()) path_.push(part_.prefix);
    return visit(pickle_.root());
}

Error Collector::malformed(const std::string& what) const {
    std::string path;
    path_.text(200, path);
    return {ErrorKind::malformed,
            fmt::format("{}: {}: {}{}", source_.name(), part_.name,
                        path.empty() ? "" : fmt::format("'{}': ", util::printable(path)), what),
            {}};
}

bool Collector::enter(PickleRef ref) {
    auto& mark = marks_[ref];
    if ((mark & kOnTheWay) != 0) return false;  // a cycle: its names were all given on the way
    if ((mark & kSeen) != 0) {
        if (again_ >= kMaxAgain) {
            cut_short_ = true;
            return false;
        }
        again_ += cost(ref);
    }
    mark = kOnTheWay | kSeen;
    return true;
}

void Collector::leave(PickleRef ref) {
    marks_[ref] = kSeen;
}

// How many values a visit looks at before it comes to others that are entered.
std::uint64_t Collector::cost(PickleRef ref) const {
    auto values = 1 + pickle_.items(ref).size() + pickle_.pairs(ref).size();
    if (pickle_.is(ref, Kind::object)) {
        values += pickle_.items(pickle_.arguments(ref)).size() + pickle_.states(ref).size();
    }
    return values;
}

Result<void> Collector::visit(PickleRef ref) {
    switch (pickle_.kind(ref)) {
        case Kind::tuple:
        case Kind::list:
        case Kind::set:
        case Kind::dict:
        case Kind::object:
        case Kind::persistent:
            break;
        default:
            return {};
    }
    const bool again = (marks_[ref] & kSeen) != 0;
    if (!enter(ref)) return {};
    if (depth_ >= max_depth_)
        return malformed(fmt::format("objects are nested more than {} deep", util::counted(depth_, "level")));
    if (!again) MODELSEAL_TRY(check_keys(pickle_.pairs(ref)));
    ++depth_;
    auto visited = visit_contents(ref);
    --depth_;
    leave(ref);
    return visited;
}

Result<void> Collector::visit_contents(PickleRef ref) {
    switch (pickle_.kind(ref)) {
        case Kind::dict:
            return visit_pairs(pickle_.pairs(ref));
        case Kind::object:
            return visit_object(ref);
        case Kind::persistent:
            return is_storage(ref) ? visit_storage(ref) : Result<void>();
        default:
            return visit_items(pickle_.items(ref));
    }
}

Result<void> Collector::visit_at(std::string_view part, PickleRef ref) {
    path_.push(part);
    auto visited = visit(ref);
    path_.pop();
    return visited;
}

Result<void> Collector::visit_at(std::int64_t part, PickleRef ref) {
    path_.push(part);
    auto visited = visit(ref);
    path_.pop();
    return visited;
}

Result<void> Collector::visit_items(Refs items, std::size_t from) {
    for (auto i = from; i < items.size(); ++i) {
        MODELSEAL_TRY(visit_at(static_cast<std::int64_t>(i), items[i]));
    }
    return {};
}

// A key that comes twice would let two readers see two models.
Result<void> Collector::check_keys(Refs pairs) {
    std::vector<std::string_view> texts;
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
        if (pickle_.is(pairs[i], Kind::text)) texts.push_back(pickle_.text(pairs[i]));
        if (pickle_.is(pairs[i], Kind::integer)) numbers.push_back(pickle_.integer(pairs[i]));
    }
    std::ranges::sort(texts);
    std::ranges::sort(numbers);
    if (const auto twice = std::ranges::adjacent_find(texts); twice != texts.end()) {
        return malformed(fmt::format("the key '{}' appears twice", util::printable(twice->substr(0, 200))));
    }
    if (const auto twice = std::ranges::adjacent_find(numbers); twice != numbers.end()) {
        return malformed(fmt::format("the key {} appears twice", *twice));
    }
    return {};
}

Result<void> Collector::visit_pairs(Refs pairs) {
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
        const auto key = pairs[i], value = pairs[i + 1];
        if (pickle_.is(key, Kind::text)) {
            MODELSEAL_TRY(visit_at(pickle_.text(key), value));
        } else if (pickle_.is(key, Kind::integer)) {
            MODELSEAL_TRY(visit_at(pickle_.integer(key), value));
        } else {  // a key that has no spelling, and may itself hold a tensor
            MODELSEAL_TRY(visit_at(static_cast<std::int64_t>(i / 2), value));
            MODELSEAL_TRY(visit_at(static_cast<std::int64_t>(i / 2), key));
        }
    }
    return {};
}

// The attributes of an object. Those of a torch.nn.Module have its parameters, buffers and modules under
// names that are not part of a parameter's name; its other attributes (an LSTM's _flat_weights) give names of
// second choice.
Result<void> Collector::visit_attributes(PickleRef dict) {
    const auto pairs = pickle_.pairs(dict);
    const auto key_at = [&](std::size_t i) {
        return pickle_.is(pairs[i], Kind::text) ? pickle_.text(pairs[i]) : std::string_view();
    };
    bool module = false;
    for (std::size_t i = 0; i < pairs.size(); i += 2) module |= is_module_part(key_at(i));
    if (!module) return visit_pairs(pairs);
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        if (is_module_part(key_at(i))) {
            MODELSEAL_TRY(visit(pairs[i + 1]));
            continue;
        }
        ++beside_;
        auto visited = visit_pairs(pairs.subspan(i, 2));
        --beside_;
        MODELSEAL_TRY(std::move(visited));
    }
    return {};
}

// The argument of BUILD: a dict of attributes, (attributes, slots), or anything for a class of its own.
Result<void> Collector::visit_state(PickleRef state) {
    const auto attributes = [&](PickleRef ref) {
        return pickle_.is(ref, Kind::dict) || pickle_.is(ref, Kind::none);
    };
    const auto items = pickle_.items(state);
    const bool with_slots = pickle_.is(state, Kind::tuple) && items.size() == 2 && attributes(items[0]) &&
                            pickle_.is(items[1], Kind::dict);
    if (with_slots) {
        MODELSEAL_TRY(visit_state(items[0]));
        return visit_state(items[1]);
    }
    if (!pickle_.is(state, Kind::dict)) return visit(state);
    const bool again = (marks_[state] & kSeen) != 0;
    if (!enter(state)) return {};
    if (!again) MODELSEAL_TRY(check_keys(pickle_.pairs(state)));
    auto visited = visit_attributes(state);
    leave(state);
    return visited;
}

Result<void> Collector::visit_object(PickleRef ref) {
    const auto callable = pickle_.callable(ref), arguments = pickle_.arguments(ref);
    if (pickle_.is(arguments, Kind::tuple)) {
        MODELSEAL_TRY(visit_call(pickle_.text(callable), pickle_.items(arguments)));
    } else {
        MODELSEAL_TRY(visit(arguments));
    }
    MODELSEAL_TRY(visit(callable));
    MODELSEAL_TRY(visit_items(pickle_.items(ref)));
    MODELSEAL_TRY(visit_pairs(pickle_.pairs(ref)));
    for (const auto state : pickle_.states(ref)) MODELSEAL_TRY(visit_state(state));
    return {};
}

Result<void> Collector::visit_call(std::string_view callable, Refs arguments) {
    const auto is_one_of = [&](const auto& names) { return std::ranges::find(names, callable) != names.end(); };
    if (is_one_of(kViews)) {
        // A view of anything else would not be compared with the size of a storage.
        if (arguments.size() < 4 || !is_storage(arguments[0])) {
            return malformed(fmt::format("{} of an object that is not a storage", callable));
        }
        return visit_view(callable, arguments);
    }
    if (callable == kOrderedDict && arguments.size() == 1) return visit_list_of_pairs(arguments[0]);
    if (callable == "torch._utils._rebuild_sparse_tensor" ||
        callable == "torch._utils._rebuild_sparse_csr_tensor") {
        return visit_sparse(arguments);
    }
    // (function, type, its arguments, state): a tensor of a subclass, or with attributes of its own
    const bool from_type =
        callable == "torch._tensor._rebuild_from_type_v2" || callable == "torch._tensor._rebuild_from_type";
    if (from_type && arguments.size() == 4 && pickle_.is(arguments[2], Kind::tuple)) {
        MODELSEAL_TRY(visit_call(pickle_.text(arguments[0]), pickle_.items(arguments[2])));
        return visit_state(arguments[3]);
    }
    if (is_one_of(kTransparent) && !arguments.empty()) {
        MODELSEAL_TRY(visit(arguments[0]));
        return visit_items(arguments, 1);
    }
    return visit_items(arguments);
}

Result<void> Collector::visit_list_of_pairs(PickleRef ref) {
    const bool again = (marks_[ref] & kSeen) != 0;
    if (!enter(ref)) return {};
    std::vector<PickleRef> pairs;
    for (const auto item : pickle_.items(ref)) {
        const auto pair = pickle_.items(item);
        if (pair.size() != 2) return malformed("an OrderedDict whose items are not (key, value) pairs");
        pairs.insert(pairs.end(), pair.begin(), pair.end());
    }
    if (!again) MODELSEAL_TRY(check_keys(pairs));
    auto visited = visit_pairs(pairs);
    leave(ref);
    return visited;
}

// (layout, (indices, values, ...)) or (layout, (compressed indices, plain indices, values, ...))
Result<void> Collector::visit_sparse(Refs arguments) {
    if (arguments.size() != 2 || !pickle_.is(arguments[1], Kind::tuple)) return visit_items(arguments);
    if (!enter(arguments[1])) return {};
    const auto data = pickle_.items(arguments[1]);
    const auto is_tensor = [&](PickleRef ref) {
        return pickle_.is(ref, Kind::object) && pickle_.text(pickle_.callable(ref)) != "torch.Size";
    };
    std::size_t tensors = 0;
    while (tensors < data.size() && tensors < 3 && is_tensor(data[tensors])) ++tensors;
    constexpr std::array<std::string_view, 2> coordinates = {"indices", "values"};
    constexpr std::array<std::string_view, 3> compressed = {"compressed_indices", "plain_indices", "values"};
    for (std::size_t i = 0; i < tensors; ++i) {
        MODELSEAL_TRY(visit_at(tensors == 3 ? compressed[i] : coordinates[i], data[i]));
    }
    auto visited = visit_items(data, tensors);
    leave(arguments[1]);
    return visited;
}

Result<void> collect(const Pickle& pickle, const Part& part, const Source& source, const Limits& limits,
                     Storages& storages, std::vector<std::string>& warnings) {
    Collector collector(pickle, part, source, limits, storages);
    MODELSEAL_TRY(collector.run());
    if (collector.cut_short()) {
        warnings.push_back(
            fmt::format("pickle {} shares its values in too many places to list them all", part.name));
    }
    return {};
}

}  // namespace modelseal::formats::pytorch

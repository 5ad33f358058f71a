
#include "formats/pytorch/pickle_machine.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::formats::pytorch {
namespace {

// The memory of an entry without its contents, allocator and growth included.
constexpr std::uint64_t kNodeBytes = 2 * 24;
constexpr std::uint64_t kSlotBytes = 2 * sizeof(PickleRef);
constexpr std::uint64_t kBoxBytes = 2 * 72;
constexpr std::uint64_t kTextBytes = 2 * sizeof(std::string);
constexpr std::uint64_t kMemoBytes = 48;
constexpr std::uint64_t kGlobalBytes = 192;

std::string_view called(PickleKind kind) {
    switch (kind) {
        case PickleKind::none:
            return "None";
        case PickleKind::boolean:
        case PickleKind::integer:
        case PickleKind::big_integer:
        case PickleKind::real:
            return "a number";
        case PickleKind::text:
        case PickleKind::bytes:
            return "a text";
        case PickleKind::tuple:
            return "a tuple";
        case PickleKind::list:
            return "a list";
        case PickleKind::set:
            return "a set";
        case PickleKind::dict:
            return "a dict";
        case PickleKind::global:
            return "a name";
        case PickleKind::object:
            return "an object";
        case PickleKind::persistent:
            return "a persistent id";
    }
    return "nothing";
}

}  // namespace

Result<Pickle> PickleMachine::run() {
    const auto& operations = table().operations;
    for (std::uint64_t step = 0; !stopped_; ++step) {
        if (limits_.steps != 0 && step >= limits_.steps) {
            return in_.malformed(fmt::format("pickle: more than {} opcodes", limits_.steps));
        }
        MODELSEAL_TRY_ASSIGN(const auto opcode, in_.u8());
        const auto operation = operations[opcode];
        if (operation == nullptr) return in_.malformed(fmt::format("pickle: unknown opcode 0x{:02x}", opcode));
        MODELSEAL_TRY(operation(*this));
    }
    return std::move(out_);
}

Result<void> PickleMachine::charge(std::uint64_t bytes) {
    const auto left = limits_.memory_bytes - spent_;
    if (limits_.memory_bytes != 0 && bytes > left) {
        return in_.malformed(
            fmt::format("pickle: needs more than {} of memory", util::counted(limits_.memory_bytes, "byte")));
    }
    spent_ += bytes;
    return {};
}

Result<void> PickleMachine::push(PickleRef ref) {
    // The stack is charged as it grows; popped slots are reused.
    if (stack_.size() == stack_.capacity()) MODELSEAL_TRY(charge((stack_.size() + 16) * kSlotBytes));
    stack_.push_back(ref);
    return {};
}

Result<void> PickleMachine::make(const Node& node) {
    MODELSEAL_TRY(charge(kNodeBytes));
    if (out_.nodes_.size() >= std::numeric_limits<PickleRef>::max()) {
        return in_.malformed("pickle: too many values");
    }
    out_.nodes_.push_back(node);
    return push(static_cast<PickleRef>(out_.nodes_.size() - 1));
}

Result<PickleRef> PickleMachine::pop() {
    MODELSEAL_TRY_ASSIGN(const auto ref, top());
    stack_.pop_back();
    return ref;
}

Result<PickleRef> PickleMachine::top() {
    const auto floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) return in_.malformed("pickle: the stack is empty");
    return stack_.back();
}

Result<std::vector<PickleRef>> PickleMachine::pop_to_mark() {
    if (marks_.empty()) return in_.malformed("pickle: no mark on the stack");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleRef> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
}

Result<void> PickleMachine::make_text(Kind kind, std::string text) {
    MODELSEAL_TRY(charge(kTextBytes));
    out_.texts_.push_back(std::move(text));
    return make({.kind = kind, .place = static_cast<std::uint32_t>(out_.texts_.size() - 1)});
}

Result<void> PickleMachine::make_counted(Kind kind, std::uint64_t bytes) {
    if (bytes <= in_.left()) MODELSEAL_TRY(charge(bytes));
    MODELSEAL_TRY_ASSIGN(auto text, in_.string(bytes, 0, "pickle: a text"));
    return make_text(kind, std::move(text));
}

Result<void> PickleMachine::make_long(std::uint64_t bytes) {
    if (bytes > 8) return make_counted(Kind::big_integer, bytes);
    std::uint64_t value = 0;
    unsigned last = 0;
    for (std::uint64_t i = 0; i < bytes; ++i) {
        MODELSEAL_TRY_ASSIGN(last, in_.u8());
        value |= std::uint64_t{last} << (8 * i);
    }
    if (last >= 0x80 && bytes < 8) value |= ~std::uint64_t{0} << (8 * bytes);
    return make_integer(static_cast<std::int64_t>(value));
}

Result<void> PickleMachine::make_global(std::string name) {
    const auto known = global_places_.find(name);
    if (known != global_places_.end()) return make({.kind = Kind::global, .place = known->second});
    MODELSEAL_TRY(charge(kGlobalBytes + 2 * name.size()));
    const auto place = static_cast<std::uint32_t>(out_.globals_.size());
    global_places_.emplace(name, place);
    out_.globals_.push_back({.name = std::move(name)});
    return make({.kind = Kind::global, .place = place});
}

Result<void> PickleMachine::make_tuple(std::span<const PickleRef> items) {
    MODELSEAL_TRY(charge(items.size() * kSlotBytes));
    auto& slots = out_.slots_;
    if (slots.size() > std::numeric_limits<PickleRef>::max() - items.size()) {
        return in_.malformed("pickle: too many values");
    }
    const auto begin = static_cast<PickleRef>(slots.size());
    slots.insert(slots.end(), items.begin(), items.end());
    return make({.kind = Kind::tuple, .first = begin, .second = static_cast<PickleRef>(items.size())});
}

Result<void> PickleMachine::make_box(Kind kind, std::vector<PickleRef> items, std::vector<PickleRef> pairs) {
    if (pairs.size() % 2 != 0) return in_.malformed("pickle: a key of a dict has no value");
    MODELSEAL_TRY(charge(kBoxBytes + (items.size() + pairs.size()) * kSlotBytes));
    out_.boxes_.push_back({std::move(items), std::move(pairs), {}});
    return make({.kind = kind, .place = static_cast<std::uint32_t>(out_.boxes_.size() - 1)});
}

Result<void> PickleMachine::make_object(PickleRef callable, PickleRef arguments) {
    const auto& node = out_.nodes_[callable];
    if (node.kind == Kind::global) {
        out_.globals_[node.place].called = true;
    } else if (node.kind == Kind::persistent) {
        // PyTorch's ('module', class, ..) means the class.
        for (const auto item : out_.items(node.first)) {
            if (out_.is(item, Kind::global)) out_.globals_[out_.nodes_[item].place].called = true;
        }
    } else if (node.kind != Kind::object) {
        return in_.malformed(fmt::format("pickle: calls {}, which is not callable", called(node.kind)));
    }
    const auto given = out_.kind(arguments);
    if (given != Kind::tuple && given != Kind::object) {
        return in_.malformed(fmt::format("pickle: calls with {} instead of a tuple", called(given)));
    }
    MODELSEAL_TRY(charge(kBoxBytes));
    out_.boxes_.emplace_back();
    return make({.kind = Kind::object,
                 .first = callable,
                 .second = arguments,
                 .place = static_cast<std::uint32_t>(out_.boxes_.size() - 1)});
}

Result<void> PickleMachine::append(std::span<const PickleRef> items, PickleRef target) {
    const auto& node = out_.nodes_[target];
    if (node.kind == Kind::global) {
        out_.globals_[node.place].changed = true;
        return {};
    }
    if (node.kind != Kind::list && node.kind != Kind::set && node.kind != Kind::object) {
        return in_.malformed(fmt::format("pickle: appends to {}, which is not a list", called(node.kind)));
    }
    MODELSEAL_TRY(charge(items.size() * kSlotBytes));
    auto& to = out_.boxes_[node.place].items;
    to.insert(to.end(), items.begin(), items.end());
    return {};
}

Result<void> PickleMachine::set(std::span<const PickleRef> pairs, PickleRef target) {
    const auto& node = out_.nodes_[target];
    if (pairs.size() % 2 != 0) return in_.malformed("pickle: sets a key without a value");
    if (node.kind == Kind::global) {
        out_.globals_[node.place].changed = true;
        return {};
    }
    if (node.kind != Kind::dict && node.kind != Kind::object) {
        return in_.malformed(fmt::format("pickle: sets items of {}, which is not a dict", called(node.kind)));
    }
    MODELSEAL_TRY(charge(pairs.size() * kSlotBytes));
    auto& to = out_.boxes_[node.place].pairs;
    to.insert(to.end(), pairs.begin(), pairs.end());
    return {};
}

Result<void> PickleMachine::build() {
    MODELSEAL_TRY_ASSIGN(const auto state, pop());
    MODELSEAL_TRY_ASSIGN(const auto target, top());
    const auto& node = out_.nodes_[target];
    if (node.kind == Kind::global) {
        out_.globals_[node.place].changed = true;
        return {};
    }
    if (node.kind != Kind::object)
        return in_.malformed(fmt::format("pickle: sets a state of {}, which has none", called(node.kind)));
    MODELSEAL_TRY(charge(kSlotBytes));
    out_.boxes_[node.place].states.push_back(state);
    return {};
}

Result<void> PickleMachine::reduce() {
    MODELSEAL_TRY_ASSIGN(const auto arguments, pop());
    MODELSEAL_TRY_ASSIGN(const auto callable, pop());
    return make_object(callable, arguments);
}

Result<void> PickleMachine::new_object_with_keywords() {
    MODELSEAL_TRY_ASSIGN(const auto keywords, pop());
    MODELSEAL_TRY(reduce());
    if (!out_.is(keywords, Kind::dict)) return in_.malformed("pickle: the keyword arguments are not a dict");
    const auto copy = out_.boxes_[out_.nodes_[keywords].place].pairs;
    return set(copy, stack_.back());
}

Result<void> PickleMachine::instance(PickleRef callable, std::span<const PickleRef> arguments) {
    MODELSEAL_TRY(make_tuple(arguments));
    MODELSEAL_TRY_ASSIGN(const auto tuple, pop());
    return make_object(callable, tuple);
}

Result<void> PickleMachine::global() {
    MODELSEAL_TRY_ASSIGN(const auto module, line());
    MODELSEAL_TRY_ASSIGN(const auto name, line());
    return make_global(module + '.' + name);
}

Result<void> PickleMachine::persistent() {
    MODELSEAL_TRY_ASSIGN(const auto id, pop());
    return make({.kind = Kind::persistent, .first = id});
}

Result<void> PickleMachine::stack_global() {
    MODELSEAL_TRY_ASSIGN(const auto name, pop());
    MODELSEAL_TRY_ASSIGN(const auto module, pop());
    if (!out_.is(name, Kind::text) || !out_.is(module, Kind::text)) {
        return in_.malformed("pickle: a name is not a text");
    }
    MODELSEAL_TRY(charge(out_.text(module).size() + out_.text(name).size()));
    return make_global(fmt::format("{}.{}", out_.text(module), out_.text(name)));
}

Result<void> PickleMachine::pop_anything() {
    if (!marks_.empty() && stack_.size() == marks_.back()) {
        marks_.pop_back();
        return {};
    }
    MODELSEAL_TRY(pop());
    return {};
}

Result<void> PickleMachine::put(std::uint64_t index) {
    MODELSEAL_TRY_ASSIGN(const auto ref, top());
    if (index > std::numeric_limits<std::uint32_t>::max()) return in_.malformed("pickle: memo index too large");
    const auto [at, fresh] = memo_.try_emplace(static_cast<std::uint32_t>(index), ref);
    if (fresh) return charge(kMemoBytes);
    at->second = ref;
    return {};
}

Result<void> PickleMachine::get(std::uint64_t index) {
    const auto found = index <= std::numeric_limits<std::uint32_t>::max()
                           ? memo_.find(static_cast<std::uint32_t>(index))
                           : memo_.end();
    if (found == memo_.end()) return in_.malformed(fmt::format("pickle: memo index {} is empty", index));
    return push(found->second);
}

Result<void> PickleMachine::protocol() {
    MODELSEAL_TRY_ASSIGN(const auto version, in_.u8());
    if (version <= 5) return {};
    auto error = in_.malformed(fmt::format("pickle: protocol {} is not supported; 0 to 5 are", version));
    error.kind = ErrorKind::unsupported;
    return error;
}

Result<void> PickleMachine::stop() {
    MODELSEAL_TRY_ASSIGN(out_.root_, pop());
    stopped_ = true;
    return {};
}

}  // namespace modelseal::formats::pytorch

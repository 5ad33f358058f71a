#include "formats/pickle.h"

#include "formats/pickle_machine.h"

namespace modelseal::formats {

Result<Pickle> Pickle::walk(Reader& reader, const PickleLimits& limits) {
    return PickleMachine(reader, limits).run();
}

std::int64_t Pickle::integer(PickleRef ref) const {
    return nodes_[ref].number;
}

std::string_view Pickle::text(PickleRef ref) const {
    const auto& node = nodes_[ref];
    switch (node.kind) {
        case PickleKind::text:
        case PickleKind::bytes:
        case PickleKind::big_integer:
            return texts_[node.place];
        case PickleKind::global:
            return globals_[node.place].name;
        default:
            return {};
    }
}

const Pickle::Box* Pickle::box(PickleRef ref) const {
    const auto& node = nodes_[ref];
    switch (node.kind) {
        case PickleKind::list:
        case PickleKind::set:
        case PickleKind::dict:
        case PickleKind::object:
            return &boxes_[node.place];
        default:
            return nullptr;
    }
}

std::span<const PickleRef> Pickle::items(PickleRef ref) const {
    const auto& node = nodes_[ref];
    if (node.kind == PickleKind::tuple) return std::span(slots_).subspan(node.first, node.second);
    const auto* found = box(ref);
    return found != nullptr ? std::span<const PickleRef>(found->items) : std::span<const PickleRef>();
}

std::span<const PickleRef> Pickle::pairs(PickleRef ref) const {
    const auto* found = box(ref);
    return found != nullptr ? std::span<const PickleRef>(found->pairs) : std::span<const PickleRef>();
}

std::span<const PickleRef> Pickle::states(PickleRef ref) const {
    const auto* found = box(ref);
    return found != nullptr ? std::span<const PickleRef>(found->states) : std::span<const PickleRef>();
}

}  // namespace modelseal::formats

// The operation and the operand of each opcode, grouped as in Lib/pickletools.py.
#include "formats/pytorch/pickle_machine.h"

namespace modelseal::formats::pytorch {

using R = Result<void>;

void PickleMachine::Table::on(unsigned opcode, Operation operation) {
    operations[opcode] = operation;
}

void PickleMachine::add_numbers(Table& table) {
    using M = PickleMachine;
    table.on('N', [](M& m) -> R { return m.make({.kind = Kind::none}); });
    table.on(0x88, [](M& m) -> R { return m.make({.kind = Kind::boolean, .number = 1}); });  // NEWTRUE
    table.on(0x89, [](M& m) -> R { return m.make({.kind = Kind::boolean, .number = 0}); });  // NEWFALSE
    table.on('I', [](M& m) -> R { return m.decimal(false); });
    table.on('L', [](M& m) -> R { return m.decimal(true); });
    table.on('J', [](M& m) -> R {  // BININT
        MODELSEAL_TRY_ASSIGN(const auto value, m.in_.u32());
        return m.make_integer(static_cast<std::int32_t>(value));
    });
    table.on('K', [](M& m) -> R {  // BININT1
        MODELSEAL_TRY_ASSIGN(const auto value, m.in_.u8());
        return m.make_integer(value);
    });
    table.on('M', [](M& m) -> R {  // BININT2
        MODELSEAL_TRY_ASSIGN(const auto value, m.in_.u16());
        return m.make_integer(value);
    });
    table.on(0x8a, [](M& m) -> R {  // LONG1
        MODELSEAL_TRY_ASSIGN(const auto bytes, m.in_.u8());
        return m.make_long(bytes);
    });
    table.on(0x8b, [](M& m) -> R {  // LONG4
        MODELSEAL_TRY_ASSIGN(const auto bytes, m.in_.u32());
        return m.make_long(bytes);
    });
    table.on('F', [](M& m) -> R {
        MODELSEAL_TRY(m.line());
        return m.make({.kind = Kind::real});
    });
    table.on('G', [](M& m) -> R {  // BINFLOAT
        MODELSEAL_TRY(m.in_.skip(8, "pickle: a number"));
        return m.make({.kind = Kind::real});
    });
}

R PickleMachine::counted1(Kind kind) {
    MODELSEAL_TRY_ASSIGN(const auto bytes, in_.u8());
    return make_counted(kind, bytes);
}
R PickleMachine::counted4(Kind kind) {
    MODELSEAL_TRY_ASSIGN(const auto bytes, in_.u32());
    return make_counted(kind, bytes);
}
R PickleMachine::counted8(Kind kind) {
    MODELSEAL_TRY_ASSIGN(const auto bytes, in_.u64());
    return make_counted(kind, bytes);
}

void PickleMachine::add_texts(Table& table) {
    using M = PickleMachine;
    table.on('S', [](M& m) -> R { return m.quoted(); });
    table.on('V', [](M& m) -> R { return m.raw_unicode(); });
    table.on('U', [](M& m) -> R { return m.counted1(Kind::text); });    // SHORT_BINSTRING
    table.on('T', [](M& m) -> R { return m.counted4(Kind::text); });    // BINSTRING
    table.on(0x8c, [](M& m) -> R { return m.counted1(Kind::text); });   // SHORT_BINUNICODE
    table.on('X', [](M& m) -> R { return m.counted4(Kind::text); });    // BINUNICODE
    table.on(0x8d, [](M& m) -> R { return m.counted8(Kind::text); });   // BINUNICODE8
    table.on('C', [](M& m) -> R { return m.counted1(Kind::bytes); });   // SHORT_BINBYTES
    table.on('B', [](M& m) -> R { return m.counted4(Kind::bytes); });   // BINBYTES
    table.on(0x8e, [](M& m) -> R { return m.counted8(Kind::bytes); });  // BINBYTES8
    table.on(0x96, [](M& m) -> R { return m.counted8(Kind::bytes); });  // BYTEARRAY8
}

R PickleMachine::tuple_of_last(std::size_t count) {
    std::array<PickleRef, 3> items{};
    for (std::size_t i = count; i-- > 0;) {
        MODELSEAL_TRY_ASSIGN(items[i], pop());
    }
    return make_tuple(std::span(items).first(count));
}

void PickleMachine::add_containers(Table& table) {
    using M = PickleMachine;
    table.on(')', [](M& m) -> R { return m.make_tuple({}); });
    table.on(0x85, [](M& m) -> R { return m.tuple_of_last(1); });
    table.on(0x86, [](M& m) -> R { return m.tuple_of_last(2); });
    table.on(0x87, [](M& m) -> R { return m.tuple_of_last(3); });
    table.on('t', [](M& m) -> R {  // TUPLE
        MODELSEAL_TRY_ASSIGN(const auto items, m.pop_to_mark());
        return m.make_tuple(items);
    });
    table.on(']', [](M& m) -> R { return m.make_box(Kind::list, {}, {}); });
    table.on('l', [](M& m) -> R {  // LIST
        MODELSEAL_TRY_ASSIGN(auto items, m.pop_to_mark());
        return m.make_box(Kind::list, std::move(items), {});
    });
    table.on('}', [](M& m) -> R { return m.make_box(Kind::dict, {}, {}); });
    table.on('d', [](M& m) -> R {  // DICT
        MODELSEAL_TRY_ASSIGN(auto pairs, m.pop_to_mark());
        return m.make_box(Kind::dict, {}, std::move(pairs));
    });
    table.on(0x8f, [](M& m) -> R { return m.make_box(Kind::set, {}, {}); });  // EMPTY_SET
    table.on(0x91, [](M& m) -> R {                                            // FROZENSET
        MODELSEAL_TRY_ASSIGN(auto items, m.pop_to_mark());
        return m.make_box(Kind::set, std::move(items), {});
    });
}

R PickleMachine::append_to_top(std::span<const PickleRef> items) {
    MODELSEAL_TRY_ASSIGN(const auto target, top());
    return append(items, target);
}

void PickleMachine::add_changes(Table& table) {
    using M = PickleMachine;
    table.on('a', [](M& m) -> R {  // APPEND
        MODELSEAL_TRY_ASSIGN(const auto item, m.pop());
        return m.append_to_top(std::span(&item, 1));
    });
    constexpr Operation append_all = [](M& m) -> R {
        MODELSEAL_TRY_ASSIGN(const auto items, m.pop_to_mark());
        return m.append_to_top(items);
    };
    table.on('e', append_all);     // APPENDS
    table.on(0x90, append_all);    // ADDITEMS
    table.on('s', [](M& m) -> R {  // SETITEM
        MODELSEAL_TRY_ASSIGN(const auto value, m.pop());
        MODELSEAL_TRY_ASSIGN(const auto key, m.pop());
        MODELSEAL_TRY_ASSIGN(const auto target, m.top());
        return m.set(std::array{key, value}, target);
    });
    table.on('u', [](M& m) -> R {  // SETITEMS
        MODELSEAL_TRY_ASSIGN(const auto pairs, m.pop_to_mark());
        MODELSEAL_TRY_ASSIGN(const auto target, m.top());
        return m.set(pairs, target);
    });
    table.on('b', [](M& m) -> R { return m.build(); });
}

void PickleMachine::add_stack(Table& table) {
    using M = PickleMachine;
    table.on('(', [](M& m) -> R {  // MARK
        if (m.marks_.size() == m.marks_.capacity()) MODELSEAL_TRY(m.charge((m.marks_.size() + 16) * 16));
        m.marks_.push_back(m.stack_.size());
        return {};
    });
    table.on('.', [](M& m) -> R { return m.stop(); });
    table.on('0', [](M& m) -> R { return m.pop_anything(); });
    table.on('1', [](M& m) -> R {  // POP_MARK
        MODELSEAL_TRY(m.pop_to_mark());
        return {};
    });
    table.on('2', [](M& m) -> R {  // DUP
        MODELSEAL_TRY_ASSIGN(const auto ref, m.top());
        return m.push(ref);
    });
    table.on(0x80, [](M& m) -> R { return m.protocol(); });
    table.on(0x95, [](M& m) -> R {  // FRAME: a promise about lengths that nothing here depends on
        MODELSEAL_TRY_ASSIGN(const auto bytes, m.in_.u64());
        return bytes <= m.in_.left() ? R() : R(m.in_.malformed("pickle: a frame ends early"));
    });
}

void PickleMachine::add_memo(Table& table) {
    using M = PickleMachine;
    table.on('p', [](M& m) -> R {  // PUT
        MODELSEAL_TRY_ASSIGN(const auto index, m.memo_index());
        return m.put(index);
    });
    table.on('q', [](M& m) -> R {  // BINPUT
        MODELSEAL_TRY_ASSIGN(const auto index, m.in_.u8());
        return m.put(index);
    });
    table.on('r', [](M& m) -> R {  // LONG_BINPUT
        MODELSEAL_TRY_ASSIGN(const auto index, m.in_.u32());
        return m.put(index);
    });
    table.on(0x94, [](M& m) -> R { return m.put(m.memo_.size()); });  // MEMOIZE
    table.on('g', [](M& m) -> R {                                     // GET
        MODELSEAL_TRY_ASSIGN(const auto index, m.memo_index());
        return m.get(index);
    });
    table.on('h', [](M& m) -> R {  // BINGET
        MODELSEAL_TRY_ASSIGN(const auto index, m.in_.u8());
        return m.get(index);
    });
    table.on('j', [](M& m) -> R {  // LONG_BINGET
        MODELSEAL_TRY_ASSIGN(const auto index, m.in_.u32());
        return m.get(index);
    });
}

R PickleMachine::extension(unsigned bytes) {
    std::uint32_t code = 0;
    for (unsigned i = 0; i < bytes; ++i) {
        MODELSEAL_TRY_ASSIGN(const std::uint32_t byte, in_.u8());
        code |= byte << (8 * i);
    }
    return make_global("copyreg.extension " + std::to_string(code));
}

void PickleMachine::add_calls(Table& table) {
    using M = PickleMachine;
    table.on('c', [](M& m) -> R { return m.global(); });
    table.on(0x93, [](M& m) -> R { return m.stack_global(); });
    table.on(0x82, [](M& m) -> R { return m.extension(1); });
    table.on(0x83, [](M& m) -> R { return m.extension(2); });
    table.on(0x84, [](M& m) -> R { return m.extension(4); });
    table.on('R', [](M& m) -> R { return m.reduce(); });
    table.on(0x81, [](M& m) -> R { return m.reduce(); });  // NEWOBJ
    table.on(0x92, [](M& m) -> R { return m.new_object_with_keywords(); });
    table.on('o', [](M& m) -> R {  // OBJ
        MODELSEAL_TRY_ASSIGN(const auto items, m.pop_to_mark());
        if (items.empty()) return m.in_.malformed("pickle: an instance has no class");
        return m.instance(items.front(), std::span(items).subspan(1));
    });
    table.on('i', [](M& m) -> R {  // INST
        MODELSEAL_TRY_ASSIGN(const auto items, m.pop_to_mark());
        MODELSEAL_TRY(m.global());
        MODELSEAL_TRY_ASSIGN(const auto callable, m.pop());
        return m.instance(callable, items);
    });
    table.on('P', [](M& m) -> R {  // PERSID
        MODELSEAL_TRY_ASSIGN(auto id, m.line());
        MODELSEAL_TRY(m.make_text(Kind::text, std::move(id)));
        return m.persistent();
    });
    table.on('Q', [](M& m) -> R { return m.persistent(); });  // BINPERSID
    constexpr Operation buffer = [](M& m) -> R {
        return m.in_.malformed("pickle: buffers outside the pickle are not supported");
    };
    table.on(0x97, buffer);  // NEXT_BUFFER
    table.on(0x98, buffer);  // READONLY_BUFFER
}

const PickleMachine::Table& PickleMachine::table() {
    static const Table table = [] {
        Table made;
        add_numbers(made);
        add_texts(made);
        add_containers(made);
        add_changes(made);
        add_stack(made);
        add_memo(made);
        add_calls(made);
        return made;
    }();
    return table;
}

}  // namespace modelseal::formats::pytorch

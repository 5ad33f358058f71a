// The abstract machine behind Pickle::walk: a stack, marks and a memo, as in Lib/pickle.py, over nodes
// instead of objects. One method for each kind of opcode; pickle_opcodes.cc has the table.
#pragma once

#include <array>
#include <map>

#include "formats/pytorch/pickle.h"

namespace modelseal::formats::pytorch {

class PickleMachine {
  public:
    PickleMachine(Reader& reader, const PickleLimits& limits) : in_(reader), limits_(limits) {}
    Result<Pickle> run();

  private:
    using Kind = PickleKind;
    using Node = Pickle::Node;
    using Operation = Result<void> (*)(PickleMachine&);
    struct Table {
        std::array<Operation, 256> operations{};  // null: no such opcode
        void on(unsigned opcode, Operation operation);
    };
    static const Table& table();
    static void add_numbers(Table& table);
    static void add_texts(Table& table);
    static void add_containers(Table& table);
    static void add_changes(Table& table);
    static void add_stack(Table& table);
    static void add_memo(Table& table);
    static void add_calls(Table& table);

    // Stack, marks and memo.
    Result<void> charge(std::uint64_t bytes);
    Result<void> push(PickleRef ref);
    Result<void> make(const Node& node);  // and push it
    Result<PickleRef> pop();
    Result<PickleRef> top();
    Result<std::vector<PickleRef>> pop_to_mark();

    // Values.
    Result<void> make_integer(std::int64_t value) { return make({.kind = Kind::integer, .number = value}); }
    Result<void> make_text(Kind kind, std::string text);
    Result<void> make_counted(Kind kind, std::uint64_t bytes);  // a text whose length was read
    Result<void> counted1(Kind kind);                           // .. whose length is one byte
    Result<void> counted4(Kind kind);
    Result<void> counted8(Kind kind);
    Result<void> make_long(std::uint64_t bytes);
    Result<void> make_global(std::string name);
    Result<void> make_tuple(std::span<const PickleRef> items);
    Result<void> tuple_of_last(std::size_t count);
    Result<void> make_box(Kind kind, std::vector<PickleRef> items, std::vector<PickleRef> pairs);
    Result<void> make_object(PickleRef callable, PickleRef arguments);
    Result<std::string> line();  // up to and without the newline
    Result<void> decimal(bool with_suffix);
    Result<void> quoted();
    Result<void> raw_unicode();

    // Opcodes that change existing nodes.
    Result<void> append(std::span<const PickleRef> items, PickleRef target);
    Result<void> append_to_top(std::span<const PickleRef> items);
    Result<void> set(std::span<const PickleRef> pairs, PickleRef target);
    Result<void> build();
    Result<void> reduce();
    Result<void> new_object_with_keywords();
    Result<void> instance(PickleRef callable, std::span<const PickleRef> arguments);
    Result<void> global();
    Result<void> extension(unsigned bytes);
    Result<void> persistent();
    Result<void> stack_global();
    Result<void> pop_anything();
    Result<void> put(std::uint64_t index);
    Result<void> get(std::uint64_t index);
    Result<std::uint64_t> memo_index();
    Result<void> protocol();
    Result<void> stop();

    Reader& in_;
    PickleLimits limits_;
    Pickle out_;
    std::vector<PickleRef> stack_;
    std::vector<std::size_t> marks_;  // sizes of the stack
    std::map<std::uint32_t, PickleRef> memo_;
    std::map<std::string, std::uint32_t> global_places_;
    std::uint64_t spent_ = 0;
    bool stopped_ = false;
};

}  // namespace modelseal::formats::pytorch

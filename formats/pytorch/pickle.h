// A walker over Python pickles, protocols 0 to 5 (Lib/pickletools.py). It never executes anything: a callable
// is a name, a call is a node that keeps what would be called with what, a persistent id is a node as well. The
// result is a bounded graph of plain values; memo references make it a graph with shared nodes, and possibly
// with cycles, not a tree.
//
// Refused are torn pickles, unknown opcodes, stacks that run empty, memo entries that were never made, buffers
// outside the pickle, and whatever would cost more memory or steps than PickleLimits allows: costs are compared
// before they are spent.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/reader.h"
#include <modelseal/result.h>

namespace modelseal::formats::pytorch {

enum class PickleKind : std::uint8_t {
    none,
    boolean,
    integer,      // fits 64 bits
    big_integer,  // text(): its two's complement, little-endian; empty if it was written in decimal
    real,
    text,
    bytes,
    tuple,
    list,
    set,
    dict,
    global,      // text(): "module.name"
    object,      // what a callable made: callable(), arguments(), and what was added to it later
    persistent,  // id(): what the pickle's maker knows it by
};

using PickleRef = std::uint32_t;  // a node of its Pickle

struct PickleLimits {
    std::uint64_t memory_bytes = 256u << 20;  // of all nodes, texts, containers and the memo
    std::uint64_t steps = 128u << 20;         // opcodes
};

class Pickle {
  public:
    // A name that the pickle would import, and what it would do with it.
    struct Global {
        std::string name;  // "module.name"
        bool called = false;
        bool changed = false;  // attributes or items would be set on it
    };

    // Walks one pickle, up to and with its STOP.
    static Result<Pickle> walk(Reader& reader, const PickleLimits& limits = {});

    PickleRef root() const { return root_; }
    std::size_t size() const { return nodes_.size(); }  // refs are below it
    PickleKind kind(PickleRef ref) const { return nodes_[ref].kind; }
    bool is(PickleRef ref, PickleKind kind) const { return nodes_[ref].kind == kind; }

    // Each answers for the kinds named; for others it is empty.
    std::int64_t integer(PickleRef ref) const;               // integer; boolean as 0 or 1
    std::string_view text(PickleRef ref) const;              // text, bytes, big_integer, global
    std::span<const PickleRef> items(PickleRef ref) const;   // tuple, list, set; object: what was appended
    std::span<const PickleRef> pairs(PickleRef ref) const;   // key, value, key, ..: dict; object: what was set
    std::span<const PickleRef> states(PickleRef ref) const;  // object: what BUILD gave it, in order

    PickleRef callable(PickleRef ref) const { return nodes_[ref].first; }    // precondition: object
    PickleRef arguments(PickleRef ref) const { return nodes_[ref].second; }  // precondition: object
    PickleRef id(PickleRef ref) const { return nodes_[ref].first; }          // precondition: persistent

    const std::vector<Global>& globals() const { return globals_; }  // each name once, in order of appearance

  private:
    friend class PickleMachine;

    struct Node {
        PickleKind kind = PickleKind::none;
        PickleRef first = 0;      // object: callable; persistent: id; tuple: first slot
        PickleRef second = 0;     // object: arguments; tuple: number of slots
        std::uint32_t place = 0;  // index into texts_, globals_ or boxes_
        std::int64_t number = 0;
    };
    struct Box {  // what can still grow after it was made
        std::vector<PickleRef> items;
        std::vector<PickleRef> pairs;
        std::vector<PickleRef> states;
    };
    const Box* box(PickleRef ref) const;

    std::vector<Node> nodes_;
    std::vector<PickleRef> slots_;  // of tuples
    std::vector<Box> boxes_;
    std::vector<std::string> texts_;
    std::vector<Global> globals_;
    PickleRef root_ = 0;
};

}  // namespace modelseal::formats::pytorch

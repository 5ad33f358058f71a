// A walker over Python pickles, protocols 0 to 5 (Lib/pickletools.py). It never executes anything: a callable
// is a name, a call is a node with the callable and its arguments, a persistent id is a node as well. The
// result is a bounded graph of plain values; memo references make it a graph with shared nodes, and possibly
// with cycles, not a tree.
//
// Refuses truncated pickles, unknown opcodes, stack underflows, undefined memo entries, buffers outside the
// pickle, and whatever would cost more memory or steps than PickleLimits allows: costs are compared before
// they are spent.
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
    object,      // result of a callable: callable(), arguments(), and later additions
    persistent,  // id(): the writer's name for it
};

using PickleRef = std::uint32_t;  // a node of its Pickle

struct PickleLimits {
    std::uint64_t memory_bytes = 256u << 20;  // of all nodes, texts, containers and the memo
    std::uint64_t steps = 128u << 20;         // opcodes
};

class Pickle {
  public:
    // A name that the pickle would import, and its use.
    struct Global {
        std::string name;  // "module.name"
        bool called = false;
        bool changed = false;  // attributes or items would be set on it
    };

    // Walks one pickle, up to and including its STOP.
    static Result<Pickle> walk(Reader& reader, const PickleLimits& limits = {});

    PickleRef root() const { return root_; }
    std::size_t size() const { return nodes_.size(); }  // refs are below it
    PickleKind kind(PickleRef ref) const { return nodes_[ref].kind; }
    bool is(PickleRef ref, PickleKind kind) const { return nodes_[ref].kind == kind; }

    // Each is defined for the kinds named after it, and empty for others.
    std::int64_t integer(PickleRef ref) const;              // integer; boolean as 0 or 1
    std::string_view text(PickleRef ref) const;             // text, bytes, big_integer, global
    std::span<const PickleRef> items(PickleRef ref) const;  // tuple, list, set; object: what was appended
    std::span<const PickleRef> pairs(
        PickleRef ref) const;  // key, value, key, ..: dict; object: items that were set
    std::span<const PickleRef> states(PickleRef ref) const;  // object: arguments of BUILD, in order

    PickleRef callable(PickleRef ref) const { return nodes_[ref].first; }    // precondition: object
    PickleRef arguments(PickleRef ref) const { return nodes_[ref].second; }  // precondition: object
    PickleRef id(PickleRef ref) const { return nodes_[ref].first; }          // precondition: persistent

    const std::vector<Global>& globals() const { return globals_; }  // unique, in order of appearance

  private:
    friend class PickleMachine;

    struct Node {
        PickleKind kind = PickleKind::none;
        PickleRef first = 0;      // object: callable; persistent: id; tuple: first slot
        PickleRef second = 0;     // object: arguments; tuple: number of slots
        std::uint32_t place = 0;  // index into texts_, globals_ or boxes_
        std::int64_t number = 0;
    };
    struct Box {  // containers that can grow after they were made
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

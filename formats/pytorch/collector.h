// The current path in a pickle's graph, with dots, which is composed only when a tensor is found there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pytorch/storages.h"

namespace modelseal::formats::pytorch {

class Path {
  public:
    // Pushed texts must outlive the path.
    void push(std::string_view text) { parts_.push_back({text, 0, false}); }
    void push(std::int64_t number) { parts_.push_back({{}, number, true}); }
    void pop() { parts_.pop_back(); }

    // "prefix.layer1.0.weight". False if that would be longer than `cap` (0: no cap).
    bool text(std::uint64_t cap, std::string& out) const {
        out.clear();
        for (const auto& part : parts_) {
            if (cap != 0 && part.text.size() > cap - out.size()) return false;
            if (!out.empty()) out.push_back('.');
            out += part.is_number ? std::to_string(part.number) : std::string(part.text);
            if (cap != 0 && out.size() > cap) return false;
        }
        return true;
    }

  private:
    struct Part {
        std::string_view text;
        std::int64_t number = 0;
        bool is_number = false;
    };
    std::vector<Part> parts_;
};

// The walk over a pickle's graph behind collect.

class Collector {
  public:
    Collector(const Pickle& pickle, const Part& part, const Source& source, const Limits& limits,
              Storages& storages);
    Result<void> run();
    bool cut_short() const { return cut_short_; }

  private:
    using Kind = PickleKind;
    using Refs = std::span<const PickleRef>;

    // The graph.
    Result<void> visit(PickleRef ref);
    Result<void> visit_contents(PickleRef ref);
    Result<void> visit_at(std::string_view part, PickleRef ref);
    Result<void> visit_at(std::int64_t part, PickleRef ref);
    Result<void> visit_items(Refs items, std::size_t from = 0);
    Result<void> visit_pairs(Refs pairs);
    Result<void> visit_attributes(PickleRef dict);
    Result<void> visit_state(PickleRef state);
    Result<void> visit_object(PickleRef ref);
    Result<void> visit_call(std::string_view callable, Refs arguments);
    Result<void> visit_list_of_pairs(PickleRef ref);
    Result<void> visit_sparse(Refs arguments);
    bool enter(PickleRef ref);
    void leave(PickleRef ref);
    std::uint64_t cost(PickleRef ref) const;
    Result<void> check_keys(Refs pairs);

    // The tensors.
    Result<void> visit_view(std::string_view callable, Refs arguments);
    Result<void> visit_quantizer(PickleRef parameters);
    Result<void> visit_storage(PickleRef persistent);
    struct Described {  // a storage as a persistent id describes it
        Storage* storage = nullptr;
        std::optional<DType> dtype;
        std::uint64_t view_offset = 0;  // in elements; of a storage that is part of another
        std::uint64_t view_elements = 0;
    };
    bool is_storage(PickleRef ref) const;
    Result<Described> describe(PickleRef persistent);
    Result<void> add(Described described, View view);
    Result<std::vector<std::uint64_t>> numbers(PickleRef ref, std::string_view what) const;
    Result<std::uint64_t> number(PickleRef ref, std::string_view what) const;
    Error malformed(const std::string& what) const;

    const Pickle& pickle_;
    const Part& part_;
    const Source& source_;
    const Limits& limits_;
    Storages& storages_;
    Path path_;
    std::vector<std::uint8_t> marks_;  // one per node: on the current path, seen before
    std::uint64_t again_ = 0;          // cost of visits to nodes seen before
    std::uint64_t path_bytes_ = 0;     // names and shapes of all views
    std::uint64_t views_ = 0;
    std::uint32_t beside_ = 0;  // depth in attributes of modules
    std::uint32_t depth_ = 0;
    std::uint32_t max_depth_ = 0;
    bool cut_short_ = false;
};

}  // namespace modelseal::formats::pytorch

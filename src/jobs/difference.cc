#include "jobs/difference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "model/frame.h"
#include "model/values.h"

namespace modelseal::jobs {
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

void pair_by_alias(std::vector<TensorPair>& pairs, const model::Model& b, Left& left) {
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

// "a.b." of "a.b.c" and "a.b.d.e": what all names share, up to a dot.
std::string_view shared_front(const std::vector<std::string_view>& names) {
    auto front = names.front();
    for (const auto& name : names) {
        const auto differ = std::ranges::mismatch(front, name);
        front = front.substr(0, static_cast<std::size_t>(differ.in1 - front.begin()));
    }
    const auto dot = front.rfind('.');
    return dot == front.npos ? std::string_view() : front.substr(0, dot + 1);
}

// Wrappers put themselves before every name: "_orig_mod." (torch.compile), "model." (Lightning), "base_model.model." (PEFT).
// Of all prefixes that the names of `wrapped` share, the one counts without which most of them are among `plain`.
std::string_view wrapper_before(const std::vector<std::string_view>& wrapped,
                                const std::set<std::string_view>& plain) {
    constexpr int kDeepest = 16;
    if (wrapped.empty() || plain.empty()) return {};
    const auto front = shared_front(wrapped);
    std::string_view best;
    std::ptrdiff_t most = 0;
    std::size_t length = 0;
    for (int depth = 0; depth < kDeepest && length < front.size(); ++depth) {
        length = front.find('.', length) + 1;
        const auto found = std::ranges::count_if(
            wrapped, [&](std::string_view name) { return plain.contains(name.substr(length)); });
        if (found <= most) continue;
        most = found;
        best = front.substr(0, length);
    }
    return best;
}

void pair_by_wrapper(std::vector<TensorPair>& pairs, Left& left) {
    std::vector<std::string_view> names_a, names_b;
    for (const auto& pair : pairs) {
        if (pair.b == nullptr) names_a.push_back(pair.a->name);
    }
    for (const auto& [name, tensor] : left) names_b.push_back(name);
    const auto before_a = wrapper_before(names_a, {names_b.begin(), names_b.end()});
    const auto before_b = wrapper_before(names_b, {names_a.begin(), names_a.end()});
    if (before_a.empty() == before_b.empty()) return;
    for (auto& pair : pairs) {
        if (pair.b != nullptr || !pair.a->name.starts_with(before_a)) continue;
        const auto other = std::string(before_b) + pair.a->name.substr(before_a.size());
        const auto found = left.find(other);
        if (found != left.end() && found->second->elements == pair.a->elements) pair.b = take(left, other);
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

std::vector<TensorPair> pair_tensors(const model::Model& a, const model::Model& b) {
    Left left;
    for (const auto& tensor : b.tensors) left.emplace(tensor.name, &tensor);
    std::vector<TensorPair> pairs;
    // All names first, so that nothing else takes the tensor of another's name.
    for (const auto& tensor : a.tensors) pairs.push_back({&tensor, take(left, tensor.name)});
    pair_by_alias(pairs, b, left);
    pair_by_wrapper(pairs, left);
    pair_by_alike_name(pairs, left);
    for (const auto& tensor : b.tensors) {
        if (left.contains(tensor.name)) pairs.push_back({nullptr, &tensor});
    }
    std::ranges::stable_sort(pairs, {}, &TensorPair::name);
    return pairs;
}

std::string alike_name(std::string_view name) {
    for (const std::string_view wrapper :
         {"state_dict.", "model_state_dict.", "module.", "_orig_mod.", "module."}) {
        if (name.starts_with(wrapper)) name.remove_prefix(wrapper.size());
    }
    std::string alike(name);
    std::ranges::replace_if(
        alike, [](char c) { return c == '_' || c == '/' || c == ':' || c == '-'; }, '.');
    return alike;
}

void Difference::add_range(std::uint64_t index, std::uint64_t count) {
    const bool joins = last_end_ == index && ranges_total > 0;
    if (!joins) ++ranges_total;
    if (joins && ranges.size() == ranges_total) {
        ranges.back().count += count;
    } else if (!joins && ranges.size() < kRanges) {
        ranges.push_back({index, count});
    }
    last_end_ = index + count;
}

void Difference::append(const Difference& next) {
    elements += next.elements;
    differing += next.differing;
    non_finite += next.non_finite;
    finite += next.finite;
    max_abs = std::max(max_abs, next.max_abs);
    max_ulp = std::max(max_ulp, next.max_ulp);
    sum_abs += next.sum_abs;
    sum_squares += next.sum_squares;
    sum_squares_a += next.sum_squares_a;
    for (const auto& range : next.ranges) add_range(range.first, range.count);
    ranges_total += next.ranges_total - next.ranges.size();
    if (next.last_end_ != 0) last_end_ = next.last_end_;
}

void BlockComparer::add(std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t first,
                        std::uint64_t count, Difference& sum) {
    sum.elements += count;
    if (model::has_values(a_) && model::has_values(b_)) {
        compare_values(a, b, first, count, sum);
    } else {
        compare_groups(a, b, first, count, sum);
    }
}

void BlockComparer::compare_groups(std::span<const std::byte> a, std::span<const std::byte> b,
                                   std::uint64_t first, std::uint64_t count, Difference& sum) const {
    const auto& type = info(a_);
    for (std::uint64_t done = 0, at = 0; done < count; done += type.group_elements, at += type.group_bytes) {
        if (std::memcmp(a.data() + at, b.data() + at, type.group_bytes) == 0) continue;
        const auto elements = std::min<std::uint64_t>(type.group_elements, count - done);
        sum.differing += elements;
        sum.add_range(first + done, elements);
    }
}

// One element of each side as numbers, which differ in how many parts they have.
BlockComparer::Numbers BlockComparer::numbers(std::uint64_t index) const {
    const auto parts_a = model::value_parts(a_), parts_b = model::value_parts(b_);
    Numbers out{.equal = true, .finite = true};
    for (unsigned part = 0; part < std::max(parts_a, parts_b); ++part) {
        const auto left = part < parts_a ? values_a_[index * parts_a + part] : 0.0;
        const auto right = part < parts_b ? values_b_[index * parts_b + part] : 0.0;
        out.equal = out.equal && (left == right || (std::isnan(left) && std::isnan(right)));
        out.finite = out.finite && std::isfinite(left) && std::isfinite(right);
        out.distance = part == 0 ? std::abs(left - right) : std::hypot(out.distance, left - right);
        out.squares_a += left * left;
    }
    return out;
}

void BlockComparer::compare_values(std::span<const std::byte> a, std::span<const std::byte> b,
                                   std::uint64_t first, std::uint64_t count, Difference& sum) {
    values_a_.resize(count * model::value_parts(a_));
    values_b_.resize(count * model::value_parts(b_));
    model::decode_values(a_, a, values_a_);
    model::decode_values(b_, b, values_b_);
    const bool same_type = a_ == b_;
    const bool ulps = same_type && model::is_floating(a_);
    const bool integers = same_type && (a_ == DType::u64 || a_ == DType::i64);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto pair = numbers(i);
        const bool differs = same_type ? !same_bits(a, b, i) : !pair.equal;
        if (differs) {
            ++sum.differing;
            sum.add_range(first + i, 1);
            if (!pair.finite) ++sum.non_finite;
        }
        if (!pair.finite) continue;
        ++sum.finite;
        sum.sum_squares_a += pair.squares_a;
        if (!differs) continue;
        const auto distance = integers ? integer_distance(a, b, i) : pair.distance;
        sum.max_abs = std::max(sum.max_abs, distance);
        sum.sum_abs += distance;
        sum.sum_squares += distance * distance;
        if (ulps) {
            const auto steps =
                model::ulp_distance(a_, model::element_bits(a_, a, i), model::element_bits(a_, b, i));
            sum.max_ulp = std::max(sum.max_ulp, steps);
        }
    }
}

bool BlockComparer::same_bits(std::span<const std::byte> a, std::span<const std::byte> b,
                              std::uint64_t index) const {
    const auto& type = info(a_);
    if (type.group_elements > 1) return model::element_bits(a_, a, index) == model::element_bits(a_, b, index);
    const auto at = index * type.group_bytes;
    return std::memcmp(a.data() + at, b.data() + at, type.group_bytes) == 0;
}

// Differences of 64-bit integers do not survive the way through doubles.
double BlockComparer::integer_distance(std::span<const std::byte> a, std::span<const std::byte> b,
                                       std::uint64_t index) const {
    const auto left = model::element_bits(a_, a, index), right = model::element_bits(a_, b, index);
    const bool greater =
        a_ == DType::i64 ? static_cast<std::int64_t>(left) > static_cast<std::int64_t>(right) : left > right;
    return static_cast<double>(greater ? left - right : right - left);
}

namespace {

constexpr std::uint64_t kFrameBlock = 1u << 20;
constexpr std::uint64_t kFieldBytes = 4;  // a CRC-32

// The bytes of a file that follow from its tensors although they count as frame.
std::vector<model::Range> derived_ranges(const model::Model& model, std::uint32_t file) {
    std::vector<model::Range> derived;
    for (const auto& checksum : model.files[file].checksums) {
        for (const auto field : checksum.fields) derived.push_back({field, kFieldBytes});
    }
    std::ranges::sort(derived, {}, &model::Range::offset);
    return derived;
}

// `ranges` without `holes`; both ascending.
std::vector<model::Range> without(const std::vector<model::Range>& ranges,
                                  const std::vector<model::Range>& holes) {
    std::vector<model::Range> left;
    auto hole = holes.begin();
    for (const auto& range : ranges) {
        auto begin = range.offset;
        const auto end = range.offset + range.bytes;
        while (hole != holes.end() && hole->offset + hole->bytes <= begin) ++hole;
        for (auto next = hole; next != holes.end() && next->offset < end; ++next) {
            if (next->offset > begin) left.push_back({begin, next->offset - begin});
            begin = std::max(begin, std::min(end, next->offset + next->bytes));
        }
        if (begin < end) left.push_back({begin, end - begin});
    }
    return left;
}

Result<bool> same_bytes(const Source& a, const Source& b, const model::Range& range) {
    std::vector<std::byte> left(std::min(range.bytes, kFrameBlock)), right(left.size());
    for (std::uint64_t done = 0; done < range.bytes;) {
        const auto now = std::min(range.bytes - done, kFrameBlock);
        const auto part_a = std::span(left).first(now), part_b = std::span(right).first(now);
        MODELSEAL_TRY(a.read(range.offset + done, part_a));
        MODELSEAL_TRY(b.read(range.offset + done, part_b));
        if (!std::ranges::equal(part_a, part_b)) return false;
        done += now;
    }
    return true;
}

// One side: its files, and the frame of each.
struct Frames {
    explicit Frames(const model::Model& of) : model(of), map(of) {}

    Result<std::vector<model::Range>> own_ranges(std::uint32_t file) const {
        std::vector<model::Range> ranges;
        const auto add = [&](const model::Range& range) -> Result<void> {
            ranges.push_back(range);
            return {};
        };
        MODELSEAL_TRY(map.for_each_range(file, add));
        return without(ranges, derived_ranges(model, file));
    }
    const Source& source(std::uint32_t file) const { return *model.files[file].source; }

    const model::Model& model;
    const model::FrameMap map;
};

Result<bool> same_frame(const Frames& a, std::uint32_t file_a, const Frames& b, std::uint32_t file_b) {
    MODELSEAL_TRY_ASSIGN(const auto ranges, a.own_ranges(file_a));
    MODELSEAL_TRY_ASSIGN(const auto others, b.own_ranges(file_b));
    if (ranges != others) return false;
    for (const auto& range : ranges) {
        MODELSEAL_TRY_ASSIGN(const bool same, same_bytes(a.source(file_a), b.source(file_b), range));
        if (!same) return false;
    }
    return true;
}

// A file on one side, or the same on both.
struct FilePair {
    std::optional<std::uint32_t> a, b;
};

std::map<std::string, FilePair> pair_files(const model::Model& a, const model::Model& b) {
    std::map<std::string, FilePair> pairs;
    for (std::uint32_t file = 0; file < a.files.size(); ++file) pairs[a.files[file].path].a = file;
    for (std::uint32_t file = 0; file < b.files.size(); ++file) pairs[b.files[file].path].b = file;
    return pairs;
}

}  // namespace

Result<void> compare_frames(const model::Model& a, const model::Model& b, Comparison& out) {
    const bool same_files =
        std::ranges::equal(a.files, b.files, {}, &model::ModelFile::path, &model::ModelFile::path);
    const bool both_folders = a.folder && b.folder;
    if (a.format != b.format || (!same_files && !both_folders)) {
        out.frame = Comparison::Frame::not_compared;
        return {};
    }
    using Outcome = Comparison::File::Outcome;
    const Frames frames_a(a), frames_b(b);
    for (const auto& [path, pair] : pair_files(a, b)) {
        if (!pair.a || !pair.b) {
            out.files.push_back({path, pair.a ? Outcome::only_in_a : Outcome::only_in_b});
            continue;
        }
        MODELSEAL_TRY_ASSIGN(const bool same, same_frame(frames_a, *pair.a, frames_b, *pair.b));
        if (!same) out.files.push_back({path, Outcome::changed});
    }
    out.frame = out.files.empty() ? Comparison::Frame::same : Comparison::Frame::differs;
    return {};
}

}  // namespace modelseal::jobs

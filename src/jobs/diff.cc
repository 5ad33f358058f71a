#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <unordered_map>

#include "io/threads.h"
#include "jobs/difference.h"
#include "model/elements.h"
#include "model/values.h"
#include <modelseal/inspect.h>
#include <modelseal/progress.h>

namespace modelseal {
namespace {

// Elements in memory at once, a side and thread; a multiple of any group.
constexpr std::uint64_t kBlock = 64u << 10;
constexpr std::uint64_t kChunk = 64 * kBlock;  // elements that a thread takes at once

bool comparable(const jobs::TensorPair& pair) {
    if (pair.a == nullptr || pair.b == nullptr) return false;
    const auto &a = *pair.a, &b = *pair.b;
    return a.elements == b.elements &&
           (a.dtype == b.dtype || (model::has_values(a.dtype) && model::has_values(b.dtype)));
}

// Elements per task of a thread.
struct Chunk {
    std::size_t pair = 0;
    std::uint64_t first = 0, count = 0;
};

std::vector<Chunk> chunks_of(const std::vector<jobs::TensorPair>& pairs,
                             const std::function<bool(std::size_t)>& wanted) {
    std::vector<Chunk> chunks;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (!comparable(pairs[i]) || !wanted(i)) continue;
        const auto elements = pairs[i].a->elements;
        for (std::uint64_t first = 0; first < elements; first += kChunk) {
            chunks.push_back({i, first, std::min(kChunk, elements - first)});
        }
    }
    return chunks;
}

class Comparer {
  public:
    Comparer(const model::Model& a, const model::Model& b, const DiffOptions& options, Progress& progress)
        : a_(a), b_(b), options_(options), progress_(progress), pairs_(jobs::pair_tensors(a, b)) {
        for (const auto& pair : pairs_) {
            maps_a_.push_back(comparable(pair) ? std::make_unique<model::ElementMap>(*pair.a) : nullptr);
            maps_b_.push_back(comparable(pair) ? std::make_unique<model::ElementMap>(*pair.b) : nullptr);
        }
    }

    // Bytes first: most tensors of most models are the same, and equal bytes need no arithmetic. Then each
    // tensor that differs is read again, for how much.
    Result<void> run(Comparison& out) {
        const auto all = chunks_of(pairs_, [](std::size_t) { return true; });
        std::vector<std::atomic<bool>> differs(pairs_.size());
        progress_.total(bytes_of(all));
        MODELSEAL_TRY(each(all, [&](const Chunk& chunk, std::span<const std::byte> a,
                                    std::span<const std::byte> b, std::uint64_t, std::uint64_t, std::size_t) {
            const auto& pair = pairs_[chunk.pair];
            if (pair.a->dtype != pair.b->dtype || !std::ranges::equal(a, b)) differs[chunk.pair] = true;
            progress_.advance(a.size());
        }));
        const auto changed = chunks_of(pairs_, [&](std::size_t i) { return differs[i].load(); });
        std::vector<jobs::Difference> parts(changed.size());
        MODELSEAL_TRY(
            each(changed, [&](const Chunk& chunk, std::span<const std::byte> a, std::span<const std::byte> b,
                              std::uint64_t first, std::uint64_t count, std::size_t index) {
                jobs::BlockComparer(pairs_[chunk.pair].a->dtype, pairs_[chunk.pair].b->dtype)
                    .add(a, b, first, count, parts[index]);
            }));
        describe(out, changed, parts);
        return {};
    }

  private:
    using Visit = std::function<void(const Chunk&, std::span<const std::byte>, std::span<const std::byte>,
                                     std::uint64_t first, std::uint64_t count, std::size_t index)>;

    static std::uint64_t bytes_of_elements(const Tensor& tensor, std::uint64_t count) {
        std::uint64_t bytes = 0;
        return storage_bytes(tensor.dtype, count, bytes) ? bytes : 0;
    }

    std::uint64_t bytes_of(const std::vector<Chunk>& chunks) const {
        std::uint64_t sum = 0;
        for (const auto& chunk : chunks) sum += bytes_of_elements(*pairs_[chunk.pair].a, chunk.count);
        return sum;
    }

    // Reads the chunks block by block on all threads.
    Result<void> each(const std::vector<Chunk>& chunks, const Visit& visit) const {
        return io::parallel_for(chunks.size(), options_.jobs, [&](std::size_t index, unsigned) -> Result<void> {
            const auto& chunk = chunks[index];
            const auto& pair = pairs_[chunk.pair];
            std::vector<std::byte> a, b;
            for (std::uint64_t done = 0; done < chunk.count;) {
                const auto now = std::min(kBlock, chunk.count - done);
                a.resize(bytes_of_elements(*pair.a, now));
                b.resize(bytes_of_elements(*pair.b, now));
                MODELSEAL_TRY(maps_a_[chunk.pair]->read(a_, chunk.first + done, now, a));
                MODELSEAL_TRY(maps_b_[chunk.pair]->read(b_, chunk.first + done, now, b));
                visit(chunk, a, b, chunk.first + done, now, index);
                done += now;
            }
            return {};
        });
    }

    void describe(Comparison& out, const std::vector<Chunk>& changed,
                  const std::vector<jobs::Difference>& parts) const;

    const model::Model& a_;
    const model::Model& b_;
    const DiffOptions& options_;
    Progress& progress_;
    std::vector<jobs::TensorPair> pairs_;
    std::vector<std::unique_ptr<model::ElementMap>> maps_a_, maps_b_;
};

std::optional<TensorDifference::Side> side_of(const Tensor* tensor) {
    if (tensor == nullptr) return std::nullopt;
    return TensorDifference::Side{std::string(info(tensor->dtype).name), tensor->shape};
}

void fill_numbers(TensorDifference& out, const jobs::TensorPair& pair, const jobs::Difference& sum) {
    out.differing = sum.differing;
    out.non_finite = sum.non_finite;
    out.ranges = sum.ranges;
    out.ranges_total = sum.ranges_total;
    if (!model::has_values(pair.a->dtype) || !model::has_values(pair.b->dtype) || sum.finite == 0) return;
    out.max_abs = sum.max_abs;
    out.mean_abs = sum.sum_abs / static_cast<double>(sum.finite);
    if (pair.a->dtype == pair.b->dtype && model::is_floating(pair.a->dtype)) out.max_ulp = sum.max_ulp;
    if (sum.sum_squares_a > 0) out.relative_l2 = std::sqrt(sum.sum_squares) / std::sqrt(sum.sum_squares_a);
}

void Comparer::describe(Comparison& out, const std::vector<Chunk>& changed,
                        const std::vector<jobs::Difference>& parts) const {
    std::unordered_map<std::size_t, jobs::Difference> sums;
    for (std::size_t i = 0; i < changed.size(); ++i) sums[changed[i].pair].append(parts[i]);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const auto& pair = pairs_[i];
        TensorDifference entry{.a = side_of(pair.a), .b = side_of(pair.b)};
        entry.name = pair.name();
        entry.compared = comparable(pair);
        if (pair.a != nullptr && pair.b != nullptr) {
            ++out.tensors_compared;
            if (pair.a->name != pair.b->name) entry.name_b = pair.b->name;
        }
        if (comparable(pair)) {
            entry.elements = pair.a->elements;
            out.elements_compared += entry.elements;
            const auto sum = sums.find(i);
            if (sum != sums.end()) fill_numbers(entry, pair, sum->second);
        }
        const bool renamed = entry.name_b.has_value();
        out.tensors_renamed += renamed;
        // Between formats a name that is only alike is no difference.
        if (entry.a != entry.b || entry.differing > 0 || (renamed && a_.format == b_.format)) {
            out.tensors.push_back(std::move(entry));
        }
    }
}

Comparison::Side side_of(const model::Model& model) {
    return {model.path.string(), model.format, model.tensors.size()};
}

}  // namespace

Result<Comparison> diff(const std::filesystem::path& a, const std::filesystem::path& b,
                        const DiffOptions& options) {
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    MODELSEAL_TRY_ASSIGN(const auto model_a, model::open_model(a, options.limits));
    MODELSEAL_TRY_ASSIGN(const auto model_b, model::open_model(b, options.limits));
    Comparison out{.a = side_of(model_a), .b = side_of(model_b), .frame_asked = !options.weights_only};
    MODELSEAL_TRY(jobs::compare_frames(model_a, model_b, out));
    MODELSEAL_TRY(Comparer(model_a, model_b, options, progress).run(out));
    MODELSEAL_TRY(model_a.unchanged());
    MODELSEAL_TRY(model_b.unchanged());
    return out;
}

}  // namespace modelseal

#include "mark/checking/find_marks.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "io/threads.h"
#include "mark/coding/bits.h"
#include "mark/weight_scan.h"

namespace modelseal::mark {
namespace {

constexpr std::size_t kOpeningBytes = kTagBytes + kHeadBytes;
constexpr std::size_t kHeadBits = 8 * kHeadBytes;

// Cells under each secret, round after round. A model that was not changed answers in the first; a damaged one
// needs more cells until enough of them are valid.
constexpr std::uint64_t kRounds[] = {16, 40, 96, kTraceCells};
// Under cuts into blocks that are not the natural one, which seals in lowest bits have, and of models of another size.
constexpr std::uint64_t kOtherRounds[] = {16, 48, kTraceCells};
// Blocks shorter than the natural ones are those of a model with fewer elements; one this large would have
// gained most of them since it was sealed.
constexpr std::uint64_t kNeverShorter = 4'000'000;
// Agreement is looked at after every round, of the natural cut and of at most three others, in each version of
// the seal. Each look is a chance for a false alarm, so the bound of one look is multiplied by their number
// (Bonferroni), and by that of secrets.
constexpr double kLooks = 2 * (std::size(kRounds) + 3 * std::size(kOtherRounds));

// Cells or secrets that one thread takes at a time, and secrets whose cells are kept at a time.
constexpr std::size_t kBatch = 256, kGroup = 16'384;

// What the cells show that were read under one secret so far.
struct Tally {
    std::uint64_t read = 0, valid = 0;
    CellHead head;                                // of the last valid cell
    std::array<std::uint32_t, kHeadBits> ones{};  // in each bit of the heads, valid or not

    // Of each bit, ones less zeros, squared; over the number of cells. Without a mark every bit is a fair coin,
    // so each term has mean 1, and the sum is about chi-squared.
    double sum_of_squares() const {
        double sum = 0;
        for (const auto count : ones) {
            const auto difference = 2.0 * count - static_cast<double>(read);
            sum += difference * difference;
        }
        return read == 0 ? 0 : sum / static_cast<double>(read);
    }

    // A vote of all cells on every bit.
    std::optional<CellHead> likely_head() const {
        std::array<std::byte, kHeadBytes> bytes{};
        for (std::size_t i = 0; i < kHeadBits; ++i) {
            if (2 * std::uint64_t{ones[i]} > read) set_bit(bytes, i);
        }
        return parse_head(bytes);
    }
};

// A block that has a cell if the model is sealed under this secret.
struct Candidate {
    std::uint64_t block = 0;
    std::uint32_t secret = 0;
};
struct Opening {
    bool room = false, valid = false;
    std::array<std::byte, kHeadBytes> head{};
};

// The grid on which nearly all values of a block lie, the coarsest if there are several: a seal that
// is there carries on no other.
Grid likely_grid(Version version, DType dtype, std::span<const std::byte> bytes) {
    auto likely = Grid::own;
    const auto all = values_on_grid(dtype, likely, bytes);
    for (const auto grid : grids_of(version, dtype)) {
        if (grid != Grid::own && all > 0 && 10 * values_on_grid(dtype, grid, bytes) >= 9 * all) likely = grid;
    }
    return likely;
}

// The block that was read last, and what its windows hold, of those that were asked for.
struct ReadBlock {
    std::uint64_t number = ~std::uint64_t{0};
    std::vector<std::byte> bytes;
    Carriers carriers;
    std::map<std::size_t, BlockValues> windows;

    const BlockValues& values(const TensorKeys& keys) {
        const auto window = cell_window(keys, carriers, number, bytes.size());
        return windows.try_emplace(window, carriers, bytes, window).first->second;
    }
};

// Attempt 0 is that of all but one cell in a hundred thousand, so the others are not worth their cost. The tag
// takes the complete content, so it is computed only after a head that parses: one in about 10,000 under a
// wrong secret.
Opening read_opening(const TensorKeys& keys, const BlockValues& values, std::uint64_t block) {
    Opening seen;
    const Cell cell(keys, values, block);
    if (cell.capacity() == 0) return seen;
    seen.room = true;
    const auto opening = cell.opening(kOpeningBytes);
    std::copy_n(opening.begin() + kTagBytes, kHeadBytes, seen.head.begin());
    if (!parse_head(seen.head)) return seen;
    const auto content = cell.read();
    seen.valid = content && content->attempt == 0 && parse_content(content->bytes, values.carriers.version);
    return seen;
}

// Of `cells` that are shared out over blocks in proportion, how many fall to the blocks from `begin` to `end`.
std::uint64_t share(std::uint64_t cells, std::uint64_t begin, std::uint64_t end, std::uint64_t total) {
    const auto upto = [&](std::uint64_t block) {
        return static_cast<std::uint64_t>(static_cast<double>(cells) * static_cast<double>(block) /
                                          static_cast<double>(total));
    };
    return cells >= total ? end - begin : upto(end) - upto(begin);
}

// Looks for the marks of all secrets, of one version, under one cut into blocks.
class Tracer {
  public:
    Tracer(const model::Model& model, Version version, std::uint64_t block_elements,
           std::span<const Secret32* const> secrets, unsigned jobs, Progress& progress)
        : model_(model),
          version_(version),
          block_map_(model.tensors, block_elements),
          secrets_(secrets),
          jobs_(jobs == 0 ? io::default_jobs() : jobs),
          progress_(progress),
          tallies_(secrets.size()),
          done_(model.tensors.size()) {}

    std::span<const Tally> tallies() const { return tallies_; }

    // Reads on, up to so many cells in all.
    Result<void> read(std::uint64_t cells) {
        const auto quota = quotas(cells);
        for (std::size_t tensor = 0; tensor < quota.size(); ++tensor) {
            if (quota[tensor] <= done_[tensor]) continue;
            for (std::size_t first = 0; first < secrets_.size(); first += kGroup) {
                const auto group = secrets_.subspan(first, std::min(kGroup, secrets_.size() - first));
                MODELSEAL_TRY(read_tensor(tensor, done_[tensor], quota[tensor], first, group));
            }
            done_[tensor] = quota[tensor];
        }
        return {};
    }

  private:
    // How many cells of each tensor: shared out over its blocks in proportion, as cells of a seal are. The
    // carrier class of the seal is not known, so this is done for each class and the largest share counts; a
    // class that no tensor adds to has the hosts of the one before it.
    std::vector<std::uint64_t> quotas(std::uint64_t cells) const {
        std::vector<std::uint64_t> quotas(done_.size());
        for (unsigned carrier_class = 0; carrier_class < kClasses; ++carrier_class) {
            std::uint64_t total = 0, block = 0;
            bool one_of_it = false;
            for (std::size_t tensor = 0; tensor < quotas.size(); ++tensor) {
                if (!block_map_.is_host(tensor, carrier_class)) continue;
                total += block_map_.blocks(tensor);
                one_of_it = one_of_it || carrier_class == 0 || !block_map_.is_host(tensor, carrier_class - 1);
            }
            for (std::size_t tensor = 0; one_of_it && tensor < quotas.size(); ++tensor) {
                if (!block_map_.is_host(tensor, carrier_class)) continue;
                const auto end = block + block_map_.blocks(tensor);
                quotas[tensor] = std::max(quotas[tensor], share(cells, block, end, total));
                block = end;
            }
        }
        return quotas;
    }

    // Cells `from` to `to` in the keyed order of this tensor, under each of a group of secrets, the first of
    // which has the index `first` among all. Candidates are sorted by block, so that a block which several
    // secrets ask for is read once.
    Result<void> read_tensor(std::size_t tensor, std::uint64_t from, std::uint64_t to, std::size_t first,
                             std::span<const Secret32* const> group) {
        std::vector<TensorKeys> keys(group.size());
        std::vector<Candidate> candidates(group.size() * (to - from));
        const auto batches = (group.size() + kBatch - 1) / kBatch;
        const auto find = [&](std::size_t batch, unsigned) -> Result<void> {
            for (auto i = batch * kBatch; i < std::min(group.size(), (batch + 1) * kBatch); ++i) {
                keys[i] = block_map_.keys(tensor, group[i]->bytes(), version_);
                const auto blocks = cell_blocks(keys[i], block_map_.blocks(tensor), to);
                for (auto k = from; k < to; ++k) {
                    candidates[i * (to - from) + k - from] = {blocks[k], static_cast<std::uint32_t>(i)};
                }
            }
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(batches, jobs_, find));
        std::ranges::sort(candidates, {},
                          [](const Candidate& each) { return std::pair(each.block, each.secret); });

        std::vector<Opening> seen(candidates.size());
        std::vector<ReadBlock> at_hand(jobs_);
        const auto look = [&](std::size_t batch, unsigned worker) -> Result<void> {
            auto& read = at_hand[worker];
            const auto end = std::min(candidates.size(), (batch + 1) * kBatch);
            for (auto i = batch * kBatch; i < end; ++i) {
                const auto block = candidates[i].block;
                const auto& key = keys[candidates[i].secret];
                if (block != read.number) MODELSEAL_TRY(read_at(tensor, block, read));
                seen[i] = read_opening(key, read.values(key), block);
            }
            progress_.advance(end - batch * kBatch);
            return {};
        };
        MODELSEAL_TRY(io::parallel_for((candidates.size() + kBatch - 1) / kBatch, jobs_, look));
        for (std::size_t i = 0; i < candidates.size(); ++i)
            note(tallies_[first + candidates[i].secret], seen[i]);
        return {};
    }

    Result<void> read_at(std::size_t tensor, std::uint64_t block, ReadBlock& read) const {
        read.number = ~std::uint64_t{0};
        read.windows.clear();
        MODELSEAL_TRY(read_block(model_, block_map_, tensor, block, read.bytes));
        const auto dtype = model_.tensors[tensor].dtype;
        read.carriers = {version_, dtype, likely_grid(version_, dtype, read.bytes)};
        read.number = block;
        return {};
    }

    static void note(Tally& tally, const Opening& seen) {
        if (!seen.room) return;
        ++tally.read;
        if (seen.valid) {
            ++tally.valid;
            tally.head = *parse_head(seen.head);
        }
        for (std::size_t i = 0; i < kHeadBits; ++i) {
            tally.ones[i] += bit_at(seen.head, i) ? 1 : 0;
        }
    }

    const model::Model& model_;
    Version version_;
    BlockMap block_map_;
    std::span<const Secret32* const> secrets_;
    unsigned jobs_;
    Progress& progress_;
    std::vector<Tally> tallies_;
    std::vector<std::uint64_t> done_;  // cells of each tensor that were read, under every secret
};

// The secrets whose mark is there, with those that an earlier round showed: later rounds may come to cells that
// a sparse seal does not have, and these hide how its own agree.
std::vector<FoundMark> clear_ones(std::span<const Tally> tallies, const std::vector<FoundMark>& earlier) {
    const auto secrets = static_cast<double>(tallies.size());
    std::vector<FoundMark> found;
    for (std::size_t i = 0; i < tallies.size(); ++i) {
        const auto& tally = tallies[i];
        FoundMark mark{.secret = i, .cells_read = tally.read, .cells_valid = tally.valid, .head = tally.head};
        const auto before = std::ranges::find(earlier, i, &FoundMark::secret);
        if (tally.valid > 0) {
            mark.chance = secrets * static_cast<double>(tally.read) * 0x1p-64;
        } else if (before != earlier.end()) {
            mark = *before;
        } else {
            const auto head = tally.likely_head();
            mark.chance = secrets * kLooks * agreement_chance(tally.sum_of_squares());
            if (mark.chance > kFalseAlarm || !head) continue;
            mark.head = *head;
        }
        found.push_back(mark);
    }
    std::ranges::stable_sort(found, std::greater(), &FoundMark::cells_valid);
    return found;
}

// One mark is in three cells of four: there is hardly another beside it.
bool settled(const std::vector<FoundMark>& found) {
    return !found.empty() && 4 * found.front().cells_valid >= 3 * found.front().cells_read;
}

}  // namespace

// A sum of squares of independent sums of signs is dominated by chi-squared with as many degrees of freedom n;
// this is Chernoff's bound of that: P(X >= s) <= (s / n)^(n / 2) exp((n - s) / 2) for s > n.
double agreement_chance(double sum) {
    constexpr double kDegrees = kHeadBits;
    if (sum <= kDegrees) return 1;
    return std::exp((kDegrees - sum) / 2 + kDegrees / 2 * std::log(sum / kDegrees));
}

namespace {

Result<FoundMarks> find_marks_of(Version version, const model::Model& model,
                                 std::span<const Secret32* const> secrets, unsigned jobs, Progress& progress) {
    const BlockMap usual(model.tensors);
    const auto natural = usual.block_elements();
    std::vector<std::uint64_t> lengths = {natural};
    for (auto length = kMaxBlockElements; length >= kMinBlockElements; length /= 2) {
        const bool likely = length > natural || length == kWindowedBlock;
        if (length != natural && (likely || usual.total_elements() < kNeverShorter)) lengths.push_back(length);
    }
    for (const auto length : lengths) {
        Tracer tracer(model, version, length, secrets, jobs, progress);
        const auto rounds = length == natural ? std::span<const std::uint64_t>(kRounds)
                                              : std::span<const std::uint64_t>(kOtherRounds);
        std::vector<FoundMark> found;
        for (const auto cells : rounds) {
            MODELSEAL_TRY(tracer.read(cells));
            found = clear_ones(tracer.tallies(), found);
            if (settled(found)) break;
        }
        if (!found.empty()) return FoundMarks{version, length, std::move(found)};
    }
    return FoundMarks();
}

}  // namespace

Result<FoundMarks> find_marks(const model::Model& model, std::span<const Secret32* const> secrets,
                              unsigned jobs, Progress& progress) {
    progress.total(secrets.size() * kTraceCells);
    MODELSEAL_TRY_ASSIGN(auto found, find_marks_of(Version::two, model, secrets, jobs, progress));
    if (!found.marks.empty()) return found;
    return find_marks_of(Version::one, model, secrets, jobs, progress);
}

}  // namespace modelseal::mark

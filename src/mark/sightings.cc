#include "mark/sightings.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "io/threads.h"
#include "mark/scan.h"

namespace modelseal::mark {
namespace {

constexpr std::size_t kOpening = kTagBytes + kHeadBytes;
constexpr std::size_t kHeadBits = 8 * kHeadBytes;

// Places under each secret, round after round; of the last ones kTracePlaces. A model that was not changed
// answers in the first.
constexpr std::uint64_t kRounds[] = {16, 40, 96, kTracePlaces};
// Under cuts into blocks that are not the natural one, which only seals of models of another size have.
constexpr std::uint64_t kOtherRounds[] = {16, 48};
// Shorter blocks than the natural ones were those of a model with fewer elements; one this large would have
// gained most of them.
constexpr std::uint64_t kNeverShorter = 4'000'000;
// Looks at agreement: rounds of the natural cut, and of three others.
constexpr double kLooks = std::size(kRounds) + 3 * std::size(kOtherRounds);

// Places or secrets that one thread takes at a time, and secrets whose places are kept at a time.
constexpr std::size_t kBatch = 256, kGroup = 16'384;

// What the places say that were read under one secret so far.
struct Tally {
    std::uint64_t looked = 0, whole = 0;
    CellHead head;                                // of the last whole place
    std::array<std::uint32_t, kHeadBits> ones{};  // in each bit of the heads, true or not

    double sum_of_squares() const {
        double sum = 0;
        for (const auto count : ones) {
            const auto difference = 2.0 * count - static_cast<double>(looked);
            sum += difference * difference;
        }
        return looked == 0 ? 0 : sum / static_cast<double>(looked);
    }

    std::optional<CellHead> likely_head() const {
        std::array<std::byte, kHeadBytes> bytes{};
        for (std::size_t i = 0; i < kHeadBits; ++i) {
            if (2 * std::uint64_t{ones[i]} > looked) bytes[i / 8] |= static_cast<std::byte>(1u << (i % 8));
        }
        return parse_head(bytes);
    }
};

// One place, under one secret.
struct Place {
    std::uint64_t block = 0;
    std::uint32_t secret = 0;
};
struct Glimpse {
    bool room = false, whole = false;
    std::array<std::byte, kHeadBytes> head{};
};

Glimpse glimpse(const TensorKeys& keys, const BlockValues& values, std::uint64_t block) {
    Glimpse seen;
    const Cell cell(keys, values, block);
    if (cell.capacity() == 0) return seen;
    seen.room = true;
    const auto opening = cell.opening(kOpening);
    std::copy_n(opening.begin() + kTagBytes, kHeadBytes, seen.head.begin());
    if (!parse_head(seen.head)) return seen;
    const auto content = cell.read();
    seen.whole = content && content->attempt == 0 && parse_content(content->bytes);
    return seen;
}

// Of `places` that are shared out over blocks in proportion, how many fall to the blocks from `begin` to `end`.
std::uint64_t share(std::uint64_t places, std::uint64_t begin, std::uint64_t end, std::uint64_t total) {
    const auto upto = [&](std::uint64_t block) {
        return static_cast<std::uint64_t>(static_cast<double>(places) * static_cast<double>(block) /
                                          static_cast<double>(total));
    };
    return places >= total ? end - begin : upto(end) - upto(begin);
}

// Looks for the marks of all secrets under one cut into blocks.
class Tracer {
  public:
    Tracer(const model::Model& model, std::uint64_t block_elements, std::span<const Secret32* const> secrets,
           unsigned jobs, io::Progress& progress)
        : model_(model),
          geometry_(model.tensors, block_elements),
          secrets_(secrets),
          jobs_(jobs == 0 ? io::default_jobs() : jobs),
          progress_(progress),
          tallies_(secrets.size()),
          done_(model.tensors.size()) {}

    const Geometry& geometry() const { return geometry_; }
    std::span<const Tally> tallies() const { return tallies_; }

    // Reads on, up to so many places in all.
    Result<void> read(std::uint64_t places) {
        const auto wanted = quotas(places);
        for (std::size_t tensor = 0; tensor < wanted.size(); ++tensor) {
            if (wanted[tensor] <= done_[tensor]) continue;
            for (std::size_t first = 0; first < secrets_.size(); first += kGroup) {
                const auto group = secrets_.subspan(first, std::min(kGroup, secrets_.size() - first));
                MODELSEAL_TRY(read_tensor(tensor, done_[tensor], wanted[tensor], first, group));
            }
            done_[tensor] = wanted[tensor];
        }
        return {};
    }

  private:
    // How many places of each tensor: shared out over the tensors that may carry, in each of the classes that a
    // seal may have chosen.
    std::vector<std::uint64_t> quotas(std::uint64_t places) const {
        std::vector<std::uint64_t> quotas(done_.size());
        for (unsigned carrier_class = 0; carrier_class < kClasses; ++carrier_class) {
            std::uint64_t total = 0, block = 0;
            bool one_of_it = false;
            for (std::size_t tensor = 0; tensor < quotas.size(); ++tensor) {
                if (!geometry_.is_host(tensor, carrier_class)) continue;
                total += geometry_.blocks(tensor);
                one_of_it = one_of_it || carrier_class == 0 || !geometry_.is_host(tensor, carrier_class - 1);
            }
            for (std::size_t tensor = 0; one_of_it && tensor < quotas.size(); ++tensor) {
                if (!geometry_.is_host(tensor, carrier_class)) continue;
                const auto end = block + geometry_.blocks(tensor);
                quotas[tensor] = std::max(quotas[tensor], share(places, block, end, total));
                block = end;
            }
        }
        return quotas;
    }

    // Places `from` to `to` of the keyed order of this tensor, of a group of the secrets, the first of which
    // has the index `first` among all.
    Result<void> read_tensor(std::size_t tensor, std::uint64_t from, std::uint64_t to, std::size_t first,
                             std::span<const Secret32* const> group) {
        std::vector<TensorKeys> keys(group.size());
        std::vector<Place> places(group.size() * (to - from));
        const auto batches = (group.size() + kBatch - 1) / kBatch;
        const auto name = identity(geometry_.tensors()[tensor]);
        const auto find = [&](std::size_t batch, unsigned) -> Result<void> {
            for (auto i = batch * kBatch; i < std::min(group.size(), (batch + 1) * kBatch); ++i) {
                keys[i] = tensor_keys(group[i]->bytes(), name);
                const auto blocks = cell_blocks(keys[i], geometry_.blocks(tensor), to);
                for (auto k = from; k < to; ++k) {
                    places[i * (to - from) + k - from] = {blocks[k], static_cast<std::uint32_t>(i)};
                }
            }
            return {};
        };
        MODELSEAL_TRY(io::parallel_for(batches, jobs_, find));
        std::ranges::sort(places, {}, [](const Place& place) { return std::pair(place.block, place.secret); });

        std::vector<Glimpse> seen(places.size());
        std::vector<std::vector<std::byte>> buffers(jobs_);
        std::vector<std::unique_ptr<BlockValues>> values(jobs_);
        std::vector<std::uint64_t> at_hand(jobs_, ~std::uint64_t{0});
        const auto look = [&](std::size_t batch, unsigned worker) -> Result<void> {
            const auto end = std::min(places.size(), (batch + 1) * kBatch);
            for (auto i = batch * kBatch; i < end; ++i) {
                const auto block = places[i].block;
                if (block != at_hand[worker]) {
                    MODELSEAL_TRY(read_block(model_, geometry_, tensor, block, buffers[worker]));
                    values[worker] =
                        std::make_unique<BlockValues>(model_.tensors[tensor].dtype, buffers[worker]);
                    at_hand[worker] = block;
                }
                seen[i] = glimpse(keys[places[i].secret], *values[worker], block);
            }
            progress_.advance(end - batch * kBatch);
            return {};
        };
        MODELSEAL_TRY(io::parallel_for((places.size() + kBatch - 1) / kBatch, jobs_, look));
        for (std::size_t i = 0; i < places.size(); ++i) note(tallies_[first + places[i].secret], seen[i]);
        return {};
    }

    static void note(Tally& tally, const Glimpse& seen) {
        if (!seen.room) return;
        ++tally.looked;
        if (seen.whole) {
            ++tally.whole;
            tally.head = *parse_head(seen.head);
        }
        for (std::size_t i = 0; i < kHeadBits; ++i) {
            tally.ones[i] += std::to_integer<unsigned>(seen.head[i / 8] >> (i % 8)) & 1u;
        }
    }

    const model::Model& model_;
    Geometry geometry_;
    std::span<const Secret32* const> secrets_;
    unsigned jobs_;
    io::Progress& progress_;
    std::vector<Tally> tallies_;
    std::vector<std::uint64_t> done_;  // places of each tensor that were read
};

// The secrets whose mark is there, with those that an earlier round showed: places that a seal does not have,
// which later rounds may come to, hide how its own agree.
std::vector<Sighting> clear_ones(std::span<const Tally> tallies, const std::vector<Sighting>& earlier) {
    const auto secrets = static_cast<double>(tallies.size());
    std::vector<Sighting> found;
    for (std::size_t i = 0; i < tallies.size(); ++i) {
        const auto& tally = tallies[i];
        Sighting sighting{.secret = i, .looked = tally.looked, .whole = tally.whole, .head = tally.head};
        const auto before = std::ranges::find(earlier, i, &Sighting::secret);
        if (tally.whole > 0) {
            sighting.chance = secrets * static_cast<double>(tally.looked) * 0x1p-64;
        } else if (before != earlier.end()) {
            sighting = *before;
        } else {
            const auto head = tally.likely_head();
            sighting.chance = secrets * kLooks * agreement_chance(tally.sum_of_squares());
            if (sighting.chance > kFalseAlarm || !head) continue;
            sighting.head = *head;
        }
        found.push_back(sighting);
    }
    std::ranges::stable_sort(found, std::greater(), &Sighting::whole);
    return found;
}

// One mark is in three places of four: there is hardly another beside it.
bool settled(const std::vector<Sighting>& found) {
    return !found.empty() && 4 * found.front().whole >= 3 * found.front().looked;
}

}  // namespace

// A sum of squares of independent sums of signs is dominated by chi-squared with as many degrees of freedom;
// this is Chernoff's bound of that.
double agreement_chance(double sum) {
    constexpr double kDegrees = kHeadBits;
    if (sum <= kDegrees) return 1;
    return std::exp((kDegrees - sum) / 2 + kDegrees / 2 * std::log(sum / kDegrees));
}

Result<Sightings> sightings(const model::Model& model, std::span<const Secret32* const> secrets, unsigned jobs,
                            io::Progress& progress) {
    const Geometry usual(model.tensors);
    const auto natural = usual.block_elements();
    progress.total(secrets.size() * kTracePlaces);
    std::vector<std::uint64_t> lengths = {natural};
    for (auto length = kMaxBlockElements; length >= kMinBlockElements; length /= 2) {
        if (length > natural || (length < natural && usual.total_elements() < kNeverShorter))
            lengths.push_back(length);
    }
    for (const auto length : lengths) {
        Tracer tracer(model, length, secrets, jobs, progress);
        const auto rounds = length == natural ? std::span<const std::uint64_t>(kRounds)
                                              : std::span<const std::uint64_t>(kOtherRounds);
        std::vector<Sighting> found;
        for (const auto places : rounds) {
            MODELSEAL_TRY(tracer.read(places));
            found = clear_ones(tracer.tallies(), found);
            if (settled(found)) break;
        }
        if (!found.empty()) return Sightings{length, std::move(found)};
    }
    return Sightings();
}

}  // namespace modelseal::mark

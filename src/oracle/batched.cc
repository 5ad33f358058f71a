#include "oracle/batched.h"

#include <algorithm>

#include <fmt/format.h>

#include "oracle/precision.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

constexpr std::size_t kFirstBatch = 256;

Result<void> append(Answers& all, Answers&& part, const std::string& name) {
    if (all.count != 0 && (all.classes != part.classes || all.labels.empty() != part.labels.empty())) {
        return Error{
            ErrorKind::malformed,
            fmt::format("{}: the number of classes changed from {} to {}", name, all.classes, part.classes),
            {}};
    }
    all.count += part.count;
    all.classes = part.classes;
    all.rounding = std::max(all.rounding, part.rounding);
    all.significand = std::min(all.significand, part.significand);
    all.values.insert(all.values.end(), part.values.begin(), part.values.end());
    all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
    return {};
}

void keep_rows(Answers& answers, std::size_t rows) {
    answers.count = rows;
    if (answers.labels.empty()) {
        answers.values.resize(rows * answers.classes);
    } else {
        answers.labels.resize(rows);
    }
}

}  // namespace

BatchedOracle::BatchedOracle(std::string name, InputShape input, std::size_t batch, const Deadline& deadline)
    : name_(std::move(name)),
      input_(std::move(input)),
      deadline_(deadline),
      limit_(batch == 0 ? kFirstBatch : batch) {
    const auto elements = std::max<std::size_t>(input_.elements(), 1);
    limit_ = std::clamp<std::size_t>(kMaxRequestValues / elements, 1, limit_);
}

Result<Answers> BatchedOracle::ask(std::span<const float> inputs, std::size_t count) {
    const auto elements = input_.elements();
    if (elements == 0) {
        return Error{ErrorKind::unsupported, fmt::format("{}: does not state the shape of its input", name_),
                     "give the shape of the input"};
    }
    MODELSEAL_TRY(check_size(inputs, count));
    Answers all;
    while (all.count < count) {
        const auto rest = inputs.subspan(all.count * elements);
        MODELSEAL_TRY_ASSIGN(auto part, next_batch(rest, count - all.count));
        MODELSEAL_TRY(append(all, std::move(part), name_));
    }
    note_precision(all);
    return all;
}

// Each answer is compared with the announced survey before more answers take memory and time.
Result<Answers> BatchedOracle::next_batch(std::span<const float> inputs, std::size_t count) {
    auto answers = fixed_ != 0 ? ask_fixed(inputs, count) : ask_some(inputs, count);
    if (!answers.ok()) {
        // A pause that would last longer than the time that is left is not begun.
        const bool in_time = !deadline_.over() && answers.error().remedy != Remedy::allow_more_time;
        if (in_time) return answers;
        return deadline_.error(fmt::format("{}: only {} of {} answers were received", name_, answered_,
                                           std::max(survey_.inputs, answered_ + count)));
    }
    const bool values = answers->labels.empty();
    if (values && survey_.classes != 0 && answers->classes != survey_.classes) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {} per input, {} expected", name_,
                                 util::counted(answers->classes, "output"), survey_.classes),
                     "check that this is the model of the fingerprint"};
    }
    answered_ += answers->count;
    if (survey_.answered) survey_.answered(answers->count);
    return answers;
}

// As many as the other side takes, which is remembered once it turns out.
Result<Answers> BatchedOracle::ask_some(std::span<const float> inputs, std::size_t count) {
    for (auto batch = std::min(count, limit_);; batch /= 2) {
        auto reply = ask_batch(inputs.first(batch * input_.elements()), batch);
        if (reply.answers.ok()) {
            if (batch < std::min(count, limit_)) limit_ = batch;
            return std::move(reply.answers);
        }
        if (!reply.smaller || batch == 1) return std::move(reply.answers);
    }
}

Result<Answers> BatchedOracle::ask_fixed(std::span<const float> inputs, std::size_t count) {
    const auto elements = input_.elements();
    const auto take = std::min(count, fixed_);
    std::vector<float> batch(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(take * elements));
    batch.reserve(fixed_ * elements);
    const auto last = inputs.subspan((take - 1) * elements, elements);
    while (batch.size() < fixed_ * elements) batch.insert(batch.end(), last.begin(), last.end());
    auto reply = ask_batch(batch, fixed_);
    if (reply.answers.ok()) keep_rows(*reply.answers, take);
    return std::move(reply.answers);
}

}  // namespace modelseal::oracle

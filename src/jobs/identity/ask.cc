#include "jobs/identity/ask.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "identity/mark.h"
#include "model/model.h"
#include "oracle/endpoint.h"
#include "oracle/network.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::size_t kElementsAtOnce = 4u << 20;  // 16 MiB of inputs

Result<Asked> open_file(const std::string& target, const IdentityMark& mark, const IdentityTarget& options) {
    MODELSEAL_TRY_ASSIGN(const auto model, model::open_model(target, options.limits));
    MODELSEAL_TRY_ASSIGN(auto network,
                         oracle::open_network(model, {.device = options.device,
                                                      .threads = options.jobs,
                                                      .input_shape = mark.shape,
                                                      .max_seconds = options.endpoint.max_seconds}));
    MODELSEAL_TRY(model.unchanged());
    MODELSEAL_TRY(network->classes());  // names what is not a classifier
    auto warnings = network->warnings();
    return Asked{std::move(network), std::move(warnings)};
}

Error not_numbers(const oracle::Oracle& oracle) {
    return {ErrorKind::unsupported, oracle.name() + ": answers with values that are not numbers", {}};
}

Result<void> append_labels(const oracle::Oracle& oracle, const oracle::Answers& answers, std::size_t asked,
                           Classes& all) {
    const bool labels = answers.values.empty();
    const bool fits = labels ? answers.labels.size() == asked
                             : answers.classes > 0 && answers.values.size() == asked * answers.classes;
    const bool first = all.labels.empty();
    if (!fits || (!first && all.classes != (labels ? 0 : answers.classes))) {
        return Error{
            ErrorKind::malformed, oracle.name() + ": the shape of the answers changes between requests", {}};
    }
    if (labels) {
        all.labels.insert(all.labels.end(), answers.labels.begin(), answers.labels.end());
        return {};
    }
    all.classes = answers.classes;
    for (std::size_t row = 0; row < asked; ++row) {
        const auto outputs = std::span(answers.values).subspan(row * answers.classes, answers.classes);
        if (std::ranges::any_of(outputs, [](float value) { return std::isnan(value); }))
            return not_numbers(oracle);
        all.labels.push_back(std::ranges::max_element(outputs) - outputs.begin());
    }
    return {};
}

}  // namespace

Result<Asked> open_target(const std::string& target, const IdentityMark& mark, const IdentityTarget& options) {
    MODELSEAL_TRY(oracle::check_target(target));
    if (!oracle::is_endpoint(target)) return open_file(target, mark, options);
    oracle::InputShape expected;
    expected.shape = mark.shape;
    MODELSEAL_TRY_ASSIGN(auto oracle, oracle::connect(target, options.endpoint, expected));
    return Asked{std::move(oracle), {}};
}

Result<Classes> ask_classes(oracle::Oracle& oracle, const IdentityMark& mark,
                            const std::vector<io::Picture>& pictures, Progress& progress) {
    progress.total(pictures.size());
    oracle.begin({.inputs = pictures.size()});
    Classes all;
    const auto at_once = std::max<std::size_t>(1, kElementsAtOnce / pictures.front().samples.size());
    for (std::size_t done = 0; done < pictures.size();) {
        const auto count = std::min(at_once, pictures.size() - done);
        std::vector<float> inputs;
        for (std::size_t i = 0; i < count; ++i) identity::append_input(mark, pictures[done + i], inputs);
        MODELSEAL_TRY_ASSIGN(const auto answers, oracle.ask(inputs, count));
        MODELSEAL_TRY(append_labels(oracle, answers, count, all));
        done += count;
        progress.advance(count);
    }
    return all;
}

}  // namespace modelseal::jobs

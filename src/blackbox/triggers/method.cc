#include "blackbox/triggers/method.h"

#include <algorithm>

#include "blackbox/triggers/judge.h"
#include "blackbox/triggers/make.h"
#include "blackbox/triggers/payload.h"
#include "blackbox/triggers/preview.h"

namespace modelseal::blackbox {
namespace {

class TriggersMethod final : public Method {
  public:
    Result<Made> make(oracle::Network& network, const Plan& plan, const Secret32& secret,
                      std::span<const std::byte, 32> salt, Progress& progress) const override {
        return make_triggers(network, plan, secret, salt, progress);
    }

    std::vector<Query> queries(const Fingerprint& fingerprint) const override {
        std::vector<Query> queries;
        for (const auto& trigger : fingerprint.triggers().triggers) {
            queries.push_back({.boundary = {{}, static_cast<std::uint32_t>(trigger.label)}});
        }
        return queries;
    }

    void append_input(const Fingerprint& fingerprint, std::size_t query,
                      std::vector<float>& pixels) const override {
        const auto& trigger = fingerprint.triggers().triggers[query];
        pixels.insert(pixels.end(), trigger.pixels.begin(), trigger.pixels.end());
    }

    Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies, std::optional<Rung> rung,
                                     const std::string& who) const override {
        return judge_triggers(fingerprint, replies, rung, who);
    }

    void describe(const Fingerprint& fingerprint, FingerprintSummary& summary) const override {
        const auto& triggers = fingerprint.triggers();
        for (const auto& rung : triggers.rungs) {
            const auto count = std::ranges::count_if(
                triggers.triggers, [&](const Trigger& one) { return one.margin >= rung.floor; });
            summary.rungs.push_back({rung.rung, static_cast<std::size_t>(count), rung.noise, rung.floor});
        }
        if (triggers.width > 0) summary.training = {triggers.width, triggers.steps, triggers.arm};
    }

    std::vector<std::byte> preview(const Fingerprint& fingerprint, std::size_t most) const override {
        return preview_of_triggers(fingerprint, most);
    }
    std::vector<std::byte> preview_sheet(const Fingerprint& fingerprint, std::size_t most) const override {
        return sheet_of_triggers(fingerprint, most);
    }

    Result<void> write(const Fingerprint& fingerprint, PayloadWriter& payload) const override {
        return write_triggers(fingerprint, payload);
    }
    void read(PayloadReader& payload, Fingerprint& fingerprint) const override {
        read_triggers(payload, fingerprint);
    }
    std::string complaint(const Fingerprint& fingerprint) const override {
        return complaint_about_triggers(fingerprint);
    }
};

}  // namespace

const Method& triggers_method() {
    static const TriggersMethod method;
    return method;
}

}  // namespace modelseal::blackbox

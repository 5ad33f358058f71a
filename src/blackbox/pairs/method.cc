#include "blackbox/pairs/method.h"

#include "blackbox/pairs/inputs.h"
#include "blackbox/pairs/judge.h"
#include "blackbox/pairs/make.h"
#include "blackbox/pairs/payload.h"
#include "blackbox/pairs/preview.h"

namespace modelseal::blackbox {
namespace {

// The pair and the member of a query: rung by rung, all members 0, then all members 1.
struct PlaceOfMember {
    const Pair* pair;
    int member;
};

PlaceOfMember place_of(const Pairs& pairs, std::size_t query) {
    for (const auto& rung : pairs.rungs) {
        const auto count = rung.pairs.size();
        if (query < 2 * count) return {&rung.pairs[query % count], query < count ? 0 : 1};
        query -= 2 * count;
    }
    return {nullptr, 0};
}

class PairsMethod final : public Method {
  public:
    Result<Made> make(oracle::Network& network, const Plan& plan, const Secret32& secret,
                      std::span<const std::byte, 32> salt, Progress& progress) const override {
        return make_pairs(network, plan, secret, salt, progress);
    }

    std::vector<Query> queries(const Fingerprint& fingerprint) const override {
        std::vector<Query> queries;
        for (const auto& rung : fingerprint.pairs().rungs) {
            for (const int member : {0, 1}) {
                for (const auto& pair : rung.pairs) {
                    queries.push_back({.boundary = boundary_of(fingerprint.pairs(), pair),
                                       .inside = member == 1,
                                       .rung = rung.rung,
                                       .unit = pair.unit});
                }
            }
        }
        return queries;
    }

    void append_input(const Fingerprint& fingerprint, std::size_t query,
                      std::vector<float>& pixels) const override {
        const auto [pair, member] = place_of(fingerprint.pairs(), query);
        if (pair != nullptr) blackbox::append_input(fingerprint, *pair, member, pixels);
    }

    Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies, std::optional<Rung> rung,
                                     const std::string& who) const override {
        return judge_pairs(fingerprint, replies, rung, who);
    }

    void describe(const Fingerprint& fingerprint, FingerprintSummary& summary) const override {
        for (const auto& rung : fingerprint.pairs().rungs) {
            summary.rungs.push_back({rung.rung, rung.pairs.size(), rung.noise, rung.floor});
        }
        summary.coverage = fingerprint.pairs().coverage;
    }

    std::vector<std::byte> preview(const Fingerprint& fingerprint, std::size_t most) const override {
        return preview_of_pairs(fingerprint, most);
    }
    std::vector<std::byte> preview_sheet(const Fingerprint& fingerprint, std::size_t most) const override {
        return sheet_of_pairs(fingerprint, most);
    }

    Result<void> write(const Fingerprint& fingerprint, PayloadWriter& payload) const override {
        return write_pairs(fingerprint, payload);
    }
    void read(PayloadReader& payload, Fingerprint& fingerprint) const override {
        read_pairs(payload, fingerprint);
    }
    std::string complaint(const Fingerprint& fingerprint) const override {
        return complaint_about_pairs(fingerprint);
    }
};

}  // namespace

const Method& pairs_method() {
    static const PairsMethod method;
    return method;
}

}  // namespace modelseal::blackbox

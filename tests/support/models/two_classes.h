// A fingerprint of a model of two classes, made up so that every margin is known, and answers to it.
#pragma once

#include <cmath>
#include <optional>

#include <gtest/gtest.h>

#include "blackbox/pairs/judge.h"

namespace modelseal::test {

inline constexpr std::size_t kPairs = 10;

// Two classes; every member of the rung has the margin -+ `margin` of (second output less first) / sqrt(2).
inline blackbox::RungOfPairs rung_of(Rung rung, double margin, double scale) {
    blackbox::RungOfPairs made{.rung = rung, .noise = scale, .scale = scale, .floor = margin, .pairs = {}};
    for (std::size_t i = 0; i < kPairs; ++i) {
        blackbox::Pair pair;
        pair.target = 1;
        pair.member[0] = {0, -margin, 0};
        pair.member[1] = {1, margin, 1};
        made.pairs.push_back(pair);
    }
    return made;
}

inline blackbox::Fingerprint two_classes(Access access = Access::logits) {
    blackbox::Fingerprint print;
    print.access = access;
    print.input.shape = {"x", {1}, {}};
    print.classes = 2;
    print.batch = 1;
    if (access != Access::label) print.pairs().direction = {-std::sqrt(0.5), std::sqrt(0.5)};
    print.pairs().paths = {{{0}, {1}}};
    print.pairs().rungs = {rung_of(Rung::fp32, 1e-3, 1e-5), rung_of(Rung::mixed, 0.1, 1e-3)};
    return print;
}

// As the sealed model answers.
inline oracle::Answers honest(const blackbox::Fingerprint& print) {
    oracle::Answers answers;
    for (const auto& rung : print.pairs().rungs) {
        for (const int member : {0, 1}) {
            for (const auto& pair : rung.pairs) {
                const auto half = static_cast<float>(pair.member[member].margin * std::sqrt(0.5));
                answers.values.insert(answers.values.end(), {-half, half});
                ++answers.count;
            }
        }
    }
    answers.classes = 2;
    return answers;
}

inline FingerprintFinding judged(const blackbox::Fingerprint& print, blackbox::Replies replies,
                                 std::optional<Rung> rung = {}) {
    auto finding = blackbox::judge_pairs(print, std::move(replies), rung, "who");
    EXPECT_TRUE(finding.ok()) << (finding.ok() ? "" : finding.error().message);
    return finding.ok() ? *finding : FingerprintFinding{};
}

}  // namespace modelseal::test

// What every answer says about a fingerprint in the same words.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/report.h>

namespace modelseal::report {

std::string_view word(FingerprintFinding::Outcome outcome);  // as in the JSON of `check`: "other-runtime"

// "148 of 150 pairs differ (rung fp32; alarm at 1)"; for what is intact with the bound: "none of 150 pairs
// differs (rung fp32; false alarms: at most 1e-06 a check)"; where the mean of the margins gave the
// alarm: "the margins of 150 pairs on rung fp32 moved together by 3.0e-04, honest runtimes stay
// within 1.0e-04"; for what is inconclusive why it is.
std::string pairs_text(const FingerprintFinding& fingerprint);

// How far the margins moved, and of what size that is: "margins moved by 7.0e-04 (median), 17 times the
// largest noise on record"; empty if it is not known.
std::string gauge_text(const FingerprintFinding& fingerprint);

// "exact 90 of 150, fp32 0 of 150, 3 untold"; empty with one rung and nothing untold.
std::string rungs_text(const FingerprintFinding& fingerprint);

// "fingerprint of resnet20 for acme by key 1a2b3c"; what is not known is left out.
std::string origin_text(const FingerprintFinding& fingerprint);

// What the runtime has to do with the answer: why another one is no alarm, why the same one may be held to the
// bit; empty for other outcomes.
std::string runtime_text(const FingerprintFinding& fingerprint);

}  // namespace modelseal::report

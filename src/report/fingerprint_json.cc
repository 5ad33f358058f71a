#include <cmath>

#include "report/fingerprint_words.h"
#include "report/seal_json.h"
#include "report/words.h"

namespace modelseal {

using nlohmann::ordered_json;

// Keys of the contract first, in its order; the others are additions to it.
ordered_json report::fingerprint_json(const FingerprintFinding& finding) {
    ordered_json out;
    out["kind"] = "fingerprint";
    out["outcome"] = report::word(finding.outcome);
    out["method"] = "pairs";
    out["access"] = json_text(finding.access);
    out["pairs"] = finding.pairs;
    out["mismatched"] = finding.mismatched;
    out["threshold"] = finding.threshold;
    out["false_alarm_bound"] = finding.false_alarm_bound;
    out["rungs"] = ordered_json::array();
    for (const auto& rung : finding.rungs) {
        out["rungs"].push_back({{"name", json_text(rung.name)},
                                {"pairs", rung.pairs + rung.untold},
                                {"told", rung.pairs},
                                {"mismatched", rung.mismatched},
                                {"flipped", rung.flipped},
                                {"untold", rung.untold},
                                {"noise", rung.noise},
                                {"floor", rung.floor}});
    }
    out["detail"] = json_text(finding.detail);
    if (!finding.hint.empty()) out["hint"] = json_text(finding.hint);
    out["rung"] = json_text(finding.rung);
    if (finding.shift) out["shift"] = *finding.shift;
    if (finding.drift) out["drift"] = *finding.drift;
    if (finding.most_drift > 0) out["drift_threshold"] = finding.most_drift;
    if (finding.rounding > 0) out["rounding"] = finding.rounding;
    if (finding.jitter > 0 && std::isfinite(finding.jitter)) out["jitter"] = finding.jitter;
    out["queries"] = finding.queries;
    const std::pair<const char*, const std::string*> texts[] = {{"id", &finding.id},
                                                                {"model", &finding.model},
                                                                {"root", &finding.root},
                                                                {"customer", &finding.customer},
                                                                {"vendor_key", &finding.vendor_key},
                                                                {"created", &finding.created},
                                                                {"expires", &finding.expires}};
    for (const auto& [key, text] : texts) {
        if (!text->empty()) out[key] = json_text(*text);
    }
    return out;
}

}  // namespace modelseal

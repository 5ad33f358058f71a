// Pieces of the page that to_html() makes: its style, escaping, and what is drawn.
#pragma once

#include <string>
#include <string_view>

#include "report/words.h"
#include <modelseal/report.h>

namespace modelseal::report {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

// What a page may do, as its Content-Security-Policy: its own style and script, and pictures in it.
std::string page_policy();

std::string_view class_of(Tone tone);  // "good", "bad", "warn", "plain"

// For text and for attribute values in quotes alike, in HTML and in XML.
std::string escaped(std::string_view text);

// The beginning of a long text, of at most 1,000 bytes and an ellipsis: what a page holds is bounded.
std::string shortened(std::string_view text);

// A tensor from its first element to its last, with what is not as sealed in color.
std::string bar(const TensorFinding& tensor);
// Its blocks as squares, in rows, those that changed in color; and where that is, in words. Empty if it is not known.
std::string block_map(const TensorFinding& tensor);

// A plot of recorded and answered margins for each rung; empty if no margins are known. Shows what the
// fingerprint keeps secret, as does pictures().
std::string plots(const FingerprintFinding& finding);
std::string pictures(const FingerprintFinding& finding);

}  // namespace modelseal::report

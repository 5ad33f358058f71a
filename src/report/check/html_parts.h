// Pieces of the page that to_html() makes: its style, escaping, and what is drawn.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/report.h>

namespace modelseal::report {

extern const std::string_view kPageStyle;

// For text and for attribute values in quotes alike, in HTML and in XML.
std::string escaped(std::string_view text);

// A tensor from its first element to its last, with what is not as sealed in color.
std::string bar(const TensorFinding& tensor);

// A plot of recorded and answered margins for each rung; empty if no margins are known. Shows what the
// fingerprint keeps secret, as does pictures().
std::string plots(const FingerprintFinding& finding);
std::string pictures(const FingerprintFinding& finding);

}  // namespace modelseal::report

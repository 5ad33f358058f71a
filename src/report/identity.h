// Identity images: what was issued, exported, verified and claimed, as people and machines read it.
//
// JSON has the schema modelseal-identity/1, is pure ASCII and ends with a newline; "command" tells the kinds apart.
#pragma once

#include <string>

#include "report/report.h"
#include <modelseal/identity.h>

namespace modelseal::report {

// Warnings and notes are left to the caller in texts.
std::string to_text(const IdentityReport& report, const TextStyle& style);
std::string to_text(const ClaimReport& report, const TextStyle& style);
// `out`: the file that was written.
std::string to_text(const EmbedSummary& summary, const std::string& out, const TextStyle& style);
std::string to_text(const IssueSummary& summary, const std::string& out, const TextStyle& style);
std::string to_text(const ExportSummary& summary, const std::string& out, const TextStyle& style);

std::string to_json(const IdentityReport& report);
std::string to_json(const ClaimReport& report);
std::string to_json(const EmbedSummary& summary, const std::string& out);
std::string to_json(const IssueSummary& summary, const std::string& out);
std::string to_json(const ExportSummary& summary, const std::string& out);
// Of a verification or claim that could not be made. `command`: "verify" or "claim".
std::string identity_error_json(std::string_view command, const std::string& target, const Error& error);

// Pages that stand alone, as to_html() of reports of checks. The picture is shown without its identity.
std::string to_html(const IdentityReport& report, const PageInfo& info);
std::string to_html(const ClaimReport& report, const PageInfo& info);

// "epoch 3: rate 0.01, accuracy 90.2 %, key images 97.0 %, firm 88.1 %"
std::string epoch_line(const EmbedEpoch& epoch);

// "a model without the mark answers a key image with class 10 in at most 9.9 % of cases ...": what a claim rests on.
std::string supposition_text(const ClaimReport& report);

}  // namespace modelseal::report

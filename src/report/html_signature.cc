#include "report/html_signature.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/html_parts.h"
#include "report/signature_words.h"
#include "report/words.h"

namespace modelseal::report {
namespace {

using SignatureOutcome = SignatureFinding::Outcome;

constexpr std::size_t kMaxRows = 2000;  // as of tensors

std::string file_row(const SignatureFinding::FileFinding& file) {
    auto where = escaped(file.detail);
    for (const auto& tensor : file.tensors) {
        if (!where.empty()) where += "<br>";
        where +=
            fmt::format("tensor <span class=\"mono\">{}</span> {}", escaped(tensor.name), word(tensor.outcome));
    }
    return fmt::format(
        "<tr><td class=\"name\"><span class=\"mono\">{}</span></td><td>{}</td><td "
        "class=\"where\">{}</td></tr>\n",
        escaped(file.name), word(file.outcome), where);
}

std::string file_table(const SignatureFinding& finding) {
    if (finding.findings.empty()) return {};
    std::string rows;
    const auto shown = std::min(finding.findings.size(), kMaxRows);
    for (std::size_t i = 0; i < shown; ++i) rows += file_row(finding.findings[i]);
    if (shown < finding.findings.size()) {
        rows += fmt::format("<tr><td colspan=\"3\">… and {} more; the JSON lists them all</td></tr>\n",
                            grouped(finding.findings.size() - shown));
    }
    return fmt::format(
        "<h3>Files that are not as signed</h3>\n<div class=\"scroll\"><table>\n"
        "<thead><tr><th>File</th><th>Is</th><th>Where</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
        rows);
}

}  // namespace

std::string signature_section(const SignatureFinding& finding) {
    constexpr std::string_view kWide = " class=\"wide\"", kMono = " class=\"mono\"", kOff = " class=\"off\"";
    std::string out;
    out +=
        fact("signature", word(finding.outcome), {}, finding.outcome == SignatureOutcome::valid ? kMono : kOff);
    out += fact("signed as", escaped(finding.model));
    out += fact("signed with", escaped(finding.method));
    if (finding.outcome != SignatureOutcome::error) out += fact("files compared", grouped(finding.files));
    if (finding.unsigned_files > 0) out += fact("unsigned, ignored", grouped(finding.unsigned_files));
    out += fact("timestamp", escaped(finding.timestamp));
    out += fact("signer", escaped(finding.signer), kWide, kMono);
    out += fact("root of the files", escaped(finding.root), kWide, kMono);
    return "<dl>\n" + out + "</dl>\n" + file_table(finding);
}

}  // namespace modelseal::report

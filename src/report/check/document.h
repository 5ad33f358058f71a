// What a report says, before it is known in which form: one walk over the findings as they were decided. The
// text for terminals, the page and the messages of SARIF render it, so that each fact is worded here only.
//
// Texts are as they came out of files: whoever renders them escapes them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/words.h"
#include <modelseal/report.h>

namespace modelseal::report {

struct Row {
    enum class Shown { always, on_request };  // on request: with --all, and on a page
    std::string label;                        // empty: the value is a sentence
    std::string value;
    Tone tone = Tone::plain;
    Shown shown = Shown::always;
    enum class Face { text, code } face = Face::text;  // code: a digest or an id
};

// What one check found, or why it was not made. Spans and pointers are into the report.
struct Section {
    CheckKind kind = CheckKind::seal;
    Tone tone = Tone::plain;
    std::string verdict;  // "tampered, 2 of 65 tensors changed": what follows the name of the target
    std::vector<Row> rows;
    std::span<const FileFinding> files;  // an empty name: the target itself
    std::span<const TensorFinding> tensors;
    std::span<const Ruling::Requirement> requirements;  // of a policy
    std::string hint;
    std::string failure;  // not empty: the check could not be made or allows no verdict; names the file
    // Whose margins and pictures a page may draw; null for other kinds.
    const FingerprintFinding* drawn = nullptr;

    // Nothing for an empty text: a sentence, a fact that is always shown, a fact on request.
    void say(std::string sentence, std::string label = {});
    void fact(std::string label, std::string value, Tone tone = Tone::plain, Row::Face face = Row::Face::text);
};

struct Document {
    std::string target;
    Verdict verdict = Verdict::error;
    Tone tone = Tone::plain;
    std::string headline;  // "Tampered", "Not checked": of all sections together
    std::vector<Section> sections;
    std::vector<std::string> warnings;
    std::vector<std::string> hints;  // each once
    Section policy;                  // what a policy makes of it; no verdict: there is none
};

// `report` must outlive the document.
Document document_of(const CheckReport& report, Failures failures = Failures::listed);

}  // namespace modelseal::report

// Prints what a command found or made: JSON for programs, or text for people.
#pragma once

#include "cli/terminal/terminal.h"
#include "report/comparison.h"
#include "report/identity.h"
#include "report/inspection.h"
#include "report/ledger.h"
#include "report/summaries.h"

namespace modelseal::cli {

struct AnswerForm {
    bool json = false;
    report::TextStyle style = {};  // of the text; the terminal decides on its color
};

// `facts` are the arguments of report::to_json(), and of report::to_text() before the style.
template <class... Facts>
void print_answer(Terminal& terminal, AnswerForm form, const Facts&... facts) {
    form.style.color = terminal.color();
    if (form.json) {
        terminal.print_data(report::to_json(facts...));
    } else {
        terminal.print(report::to_text(facts..., form.style));
    }
}

}  // namespace modelseal::cli

// One target on a page: what was found, as a card that folds, with the rows of its tables apart, so that a page can hold
// as many of them as it has room for.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"
#include <modelseal/report.h>

namespace modelseal::report {

struct Card {
    // Pieces in their order. The rows of a piece come after its text, and a note of how many are left out after them.
    struct Piece {
        std::string text;
        std::vector<std::string> rows = {};
        std::size_t all = 0;  // rows that there are
        std::string after = {};
    };
    std::vector<Piece> pieces;
    bool of_seal = false, of_fingerprint = false;  // whose words are on it
    bool shows_queries = false;                    // of a fingerprint
};

using Rows = std::vector<std::vector<std::string>>;  // of each piece of a card

// At most about 2 MB of rows, and of texts without rows less than that.
Card card_of(const CheckReport& report, PageInfo::Pairs pairs);

enum class Fold { open, folded };
// `rows`: those of the card, or nothing if there is no room for them.
std::string html_of(const Card& card, const Rows& rows, Fold fold);

}  // namespace modelseal::report

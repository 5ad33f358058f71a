#include "cli/options/suggest.h"

#include <algorithm>

#include <fmt/format.h>

namespace modelseal::cli {
namespace {

// Optimal string alignment distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({changed, cost[i - 1][j] + 1, cost[i][j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

// What other programs call our options. Suggested only where the command has the option.
struct Synonym {
    std::string_view word, meant;
};

constexpr Synonym kOptionSynonyms[] = {
    {"-p", "--pub"},           {"-k", "--pub"},          {"-k", "--key"},
    {"--pubkey", "--pub"},     {"--pub-key", "--pub"},   {"--public-key", "--pub"},
    {"-s", "--signature"},     {"--sig", "--signature"}, {"--passphrase", "--passphrase-file"},
    {"--out", "-o"},           {"--threads", "--jobs"},  {"--password", "--passphrase-file"},
    {"-j", "--jobs"},          {"-q", "--quiet"},        {"--silent", "--quiet"},
    {"--no-color", "--color"}, {"--colour", "--color"},
};

constexpr Synonym kCommandSynonyms[] = {
    {"delete", "revoke"},  {"remove", "revoke"}, {"rm", "revoke"},    {"ls", "list"},    {"new", "add"},
    {"validate", "check"}, {"info", "inspect"},  {"compare", "diff"}, {"embed", "seal"}, {"watermark", "seal"}};

template <std::size_t N>
std::vector<std::string> synonyms(const Synonym (&table)[N], std::string_view word,
                                  const std::vector<std::string>& known) {
    std::vector<std::string> meant;
    for (const auto& each : table) {
        if (each.word == word && std::ranges::find(known, each.meant) != known.end())
            meant.emplace_back(each.meant);
    }
    return meant;
}

bool is_synonym(std::string_view word) {
    return std::ranges::find(kOptionSynonyms, word, &Synonym::word) != std::end(kOptionSynonyms);
}

}  // namespace

std::vector<std::string> options_meant(std::string_view word, const std::vector<std::string>& known) {
    constexpr std::size_t kLetters = 4;  // "--xy"; too many options begin with fewer
    if (auto meant = synonyms(kOptionSynonyms, word, known); !meant.empty() || is_synonym(word)) return meant;
    auto long_names = known;
    std::erase_if(long_names, [](const std::string& each) { return !each.starts_with("--"); });
    if (auto meant = nearest(word, long_names); !meant.empty()) return {meant};
    std::vector<std::string> begin_so;
    std::ranges::copy_if(known, std::back_inserter(begin_so),
                         [&](const std::string& each) { return each.starts_with(word); });
    return begin_so.size() == 1 && word.size() >= kLetters ? begin_so : std::vector<std::string>();
}

std::string command_meant(std::string_view word, const std::vector<std::string>& known) {
    const auto meant = synonyms(kCommandSynonyms, word, known);
    return meant.empty() ? nearest(word, known) : meant.front();
}

std::string did_you_mean(const std::vector<std::string>& meant) {
    return meant.empty() ? "" : fmt::format("did you mean '{}'?", fmt::join(meant, "' or '"));
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    constexpr std::size_t kLongest = 64;  // a longer word is not a typing error; the distance is quadratic
    if (word.size() > kLongest) return "";
    std::string best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& each : known) {
        if (const std::size_t cost = distance(word, each); cost < least) {
            least = cost;
            best = each;
        }
    }
    return best;
}

}  // namespace modelseal::cli

#include "blackbox/pairs/preview.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/pairs/inputs.h"
#include "blackbox/sheet.h"

namespace modelseal::blackbox {
namespace {

// The rung that verdicts rest on.
const RungOfPairs& main_rung(const Fingerprint& fingerprint) {
    const auto found = std::ranges::find(fingerprint.pairs().rungs, Rung::fp32, &RungOfPairs::rung);
    return found != fingerprint.pairs().rungs.end() ? *found : fingerprint.pairs().rungs.back();
}

struct Sheet {
    const Fingerprint& whole;
    const Tile tile;
    const std::span<const Pair> pairs;
    const int columns;

    Sheet(const Fingerprint& fingerprint, std::size_t most)
        : whole(fingerprint),
          tile(fingerprint.input),
          pairs(std::span(main_rung(fingerprint).pairs)
                    .first(std::clamp<std::size_t>(most, 1, main_rung(fingerprint).pairs.size()))),
          columns(std::clamp((kWide - kGap) / card_width(), 1, static_cast<int>(pairs.size()))) {}

    int card_width() const { return std::max(3 * tile.shown_width() + 4, 26 * Canvas::kLetterWidth) + kGap; }
    int card_height() const { return tile.shown_height() + kCaption + kGap; }
    int width() const { return columns * card_width() + kGap; }
    int height() const {
        return (static_cast<int>(pairs.size()) + columns - 1) / columns * card_height() + kGap;
    }

    void draw(Canvas& canvas, int top) const {
        const auto inputs = inputs_of(whole, pairs);
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const int x = kGap + static_cast<int>(i) % columns * card_width();
            const int y = top + kGap + static_cast<int>(i) / columns * card_height();
            const auto* first = &inputs[i * tile.elements()];
            const auto* second = &inputs[(pairs.size() + i) * tile.elements()];
            draw_pair(canvas, x, y, first, second);
            canvas.text(
                x, y + tile.shown_height() + 3,
                fmt::format("{} {:+.1e} {:+.1e}", i + 1, pairs[i].member[0].margin, pairs[i].member[1].margin),
                kSoft);
        }
    }

    void draw_pair(Canvas& canvas, int x, int y, const float* first, const float* second) const {
        const double low = whole.input.low, range = double{whole.input.high} - low;
        double largest = 0;
        for (std::size_t i = 0; i < tile.elements(); ++i) {
            largest = std::max(largest, std::abs(double{second[i]} - double{first[i]}));
        }
        const int step = tile.shown_width() + 2;
        tile.draw(canvas, x, y, [&](std::size_t i) { return (double{first[i]} - low) / range; });
        tile.draw(canvas, x + step, y, [&](std::size_t i) { return (double{second[i]} - low) / range; });
        tile.draw(canvas, x + 2 * step, y, [&](std::size_t i) {
            return largest == 0 ? 0.5 : 0.5 + (double{second[i]} - double{first[i]}) / (2 * largest);
        });
    }
};

MarginPlot plot_of(const RungOfPairs& rung) {
    MarginPlot plot{
        fmt::format("{}: {} pairs", name_of(rung.rung), rung.pairs.size()), rung.noise, rung.floor, {}};
    for (const auto& pair : rung.pairs) plot.columns.push_back({pair.member[0].margin, pair.member[1].margin});
    return plot;
}

}  // namespace

std::vector<std::byte> preview_of_pairs(const Fingerprint& fingerprint, std::size_t most) {
    const Sheet sheet(fingerprint, most);
    Canvas canvas(sheet.width(), sheet.height(), kPaper);
    sheet.draw(canvas, 0);
    return canvas.png();
}

std::vector<std::byte> sheet_of_pairs(const Fingerprint& fingerprint, std::size_t most) {
    constexpr int kTitle = 34;
    const Sheet sheet(fingerprint, most);
    const int plots = static_cast<int>(fingerprint.pairs().rungs.size());
    Canvas canvas(std::max(sheet.width(), 640), kTitle + sheet.height() + plots * kPlotHeight, kPaper);
    canvas.text(
        kGap, kGap,
        fmt::format("{}: {} of {} pairs of rung {}", fingerprint.model.substr(0, 60), sheet.pairs.size(),
                    main_rung(fingerprint).pairs.size(), name_of(main_rung(fingerprint).rung)),
        kInk);
    canvas.text(kGap, kGap + 12,
                "member 0, member 1, their difference stretched; below, their margins on record", kSoft);
    sheet.draw(canvas, kTitle - kGap);
    int top = kTitle + sheet.height();
    for (const auto& rung : fingerprint.pairs().rungs) {
        draw_margins(canvas, top, plot_of(rung));
        top += kPlotHeight;
    }
    return canvas.png();
}

}  // namespace modelseal::blackbox

#include "blackbox/triggers/preview.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "blackbox/sheet.h"

namespace modelseal::blackbox {
namespace {

// Triggers in rows, each with a caption.
class TriggerSheet {
  public:
    TriggerSheet(const Fingerprint& whole, std::size_t most)
        : whole_(whole),
          tile_(whole.input),
          shown_(std::span(whole.triggers().triggers)
                     .first(std::clamp<std::size_t>(most, 1, whole.triggers().triggers.size()))),
          columns_(std::clamp((kWide - kGap) / card_width(), 1, static_cast<int>(shown_.size()))) {}

    std::size_t shown() const { return shown_.size(); }
    int width() const { return columns_ * card_width() + kGap; }
    int height() const {
        return (static_cast<int>(shown_.size()) + columns_ - 1) / columns_ * card_height() + kGap;
    }

    void draw(Canvas& canvas, int top) const {
        const double low = whole_.input.low, range = double{whole_.input.high} - low;
        for (std::size_t i = 0; i < shown_.size(); ++i) {
            const int x = kGap + static_cast<int>(i) % columns_ * card_width();
            const int y = top + kGap + static_cast<int>(i) / columns_ * card_height();
            const auto& trigger = shown_[i];
            tile_.draw(canvas, x, y,
                       [&](std::size_t at) { return (double{trigger.pixels[at]} - low) / range; });
            canvas.text(x, y + tile_.shown_height() + 3,
                        fmt::format("{} {:+.0e}", trigger.label, trigger.margin), kSoft);
        }
    }

  private:
    int card_width() const { return std::max(tile_.shown_width(), 14 * Canvas::kLetterWidth) + kGap; }
    int card_height() const { return tile_.shown_height() + kCaption + kGap; }

    const Fingerprint& whole_;
    const Tile tile_;
    const std::span<const Trigger> shown_;
    const int columns_;
};

MarginPlot plot_of(const Triggers& triggers, const RungOfTriggers& rung) {
    MarginPlot plot{{}, rung.noise, rung.floor, {}};
    for (const auto& trigger : triggers.triggers) {
        if (trigger.margin >= rung.floor) plot.columns.push_back({trigger.margin});
    }
    plot.title = fmt::format("{}: {} triggers", name_of(rung.rung), plot.columns.size());
    return plot;
}

}  // namespace

std::vector<std::byte> preview_of_triggers(const Fingerprint& fingerprint, std::size_t most) {
    const TriggerSheet sheet(fingerprint, most);
    Canvas canvas(sheet.width(), sheet.height(), kPaper);
    sheet.draw(canvas, 0);
    return canvas.png();
}

std::vector<std::byte> sheet_of_triggers(const Fingerprint& fingerprint, std::size_t most) {
    constexpr int kTitle = 34, kNarrowest = 640;
    const TriggerSheet sheet(fingerprint, most);
    const auto& triggers = fingerprint.triggers();
    const int plots = static_cast<int>(triggers.rungs.size());
    Canvas canvas(std::max(sheet.width(), kNarrowest), kTitle + sheet.height() + plots * kPlotHeight, kPaper);
    canvas.text(kGap, kGap,
                fmt::format("{}: {} of {} triggers", fingerprint.model.substr(0, 60), sheet.shown(),
                            triggers.triggers.size()),
                kInk);
    canvas.text(kGap, kGap + 12, "class and margin below each; then the margins on record", kSoft);
    sheet.draw(canvas, kTitle - kGap);
    int top = kTitle + sheet.height();
    for (const auto& rung : triggers.rungs) {
        draw_margins(canvas, top, plot_of(triggers, rung));
        top += kPlotHeight;
    }
    return canvas.png();
}

}  // namespace modelseal::blackbox

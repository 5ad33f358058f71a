#include "fingerprint/preview.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fingerprint/canvas.h"
#include "util/log_axis.h"

namespace modelseal::fingerprint {
namespace {

constexpr Colour kPaper{250, 250, 252}, kInk{27, 36, 48}, kSoft{110, 120, 135}, kLine{222, 226, 232};
constexpr Colour kFloor{26, 127, 75}, kNoise{192, 38, 54}, kBelow{45, 90, 200}, kAbove{210, 120, 20};
constexpr int kGap = 8, kCaption = 12, kLeast = 64, kMost = 256, kWide = 1000;
constexpr int kPlotHeight = 200, kPlotLeft = 48, kPlotTop = 18;

// How an input is laid out, and what becomes of a pixel of it on the canvas.
struct Tile {
    int channels = 1, width = 1, height = 1;
    int zoom = 1, stride = 1;  // of which one is 1
    std::size_t elements = 1;

    explicit Tile(const Input& input) : elements(input.shape.elements()) {
        const auto& shape = input.shape.shape;
        const bool flat = shape.size() == 2;
        const bool image = flat || (shape.size() == 3 && (shape[0] == 1 || shape[0] == 3));
        if (image) {
            channels = flat ? 1 : static_cast<int>(shape[0]);
            height = static_cast<int>(shape[shape.size() - 2]);
            width = static_cast<int>(shape.back());
        } else {
            width = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(elements))));
            height = static_cast<int>((elements + static_cast<std::size_t>(width) - 1) /
                                      static_cast<std::size_t>(width));
        }
        zoom = std::max(1, kLeast / std::max(width, height));
        stride = (std::max(width, height) + kMost - 1) / kMost;
    }
    int shown_width() const { return (width + stride - 1) / stride * zoom; }
    int shown_height() const { return (height + stride - 1) / stride * zoom; }

    // `grey` gives an element's brightness, 0 to 1.
    template <class Grey>
    void draw(Canvas& canvas, int x, int y, Grey grey) const {
        const auto plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
        for (int row = 0; row < height; row += stride) {
            for (int column = 0; column < width; column += stride) {
                const auto at = static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
                                static_cast<std::size_t>(column);
                if (at >= elements) continue;
                const auto sample = [&](std::size_t channel) {
                    const double value = grey(channels == 3 ? channel * plane + at : at);
                    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
                };
                canvas.rectangle(x + column / stride * zoom, y + row / stride * zoom, zoom, zoom,
                                 {sample(0), sample(1), sample(2)});
            }
        }
    }
};

// The rung that verdicts rest on.
const RungOfPairs& main_rung(const Fingerprint& fingerprint) {
    const auto found = std::ranges::find(fingerprint.rungs, Rung::fp32, &RungOfPairs::rung);
    return found != fingerprint.rungs.end() ? *found : fingerprint.rungs.back();
}

struct Sheet {
    const Fingerprint& whole;
    const Tile tile;
    const std::span<const Pair> pairs;
    const int columns;

    Sheet(const Fingerprint& fingerprint, std::size_t most_pairs)
        : whole(fingerprint),
          tile(fingerprint.input),
          pairs(std::span(main_rung(fingerprint).pairs)
                    .first(std::clamp<std::size_t>(most_pairs, 1, main_rung(fingerprint).pairs.size()))),
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
            const auto* first = &inputs[i * tile.elements];
            const auto* second = &inputs[(pairs.size() + i) * tile.elements];
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
        for (std::size_t i = 0; i < tile.elements; ++i) {
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

void draw_plot(Canvas& canvas, int top, const RungOfPairs& rung) {
    std::vector<double> values = {rung.noise, rung.floor};
    for (const auto& pair : rung.pairs) {
        for (const auto& member : pair.member) values.push_back(member.margin);
    }
    const util::LogAxis axis(values);
    const int left = kPlotLeft, right = canvas.width() - kGap;
    const int half = (kPlotHeight - kPlotTop - 2 * kGap) / 2, middle = top + kPlotTop + half;
    const auto row = [&](double value) {
        return middle - static_cast<int>(std::lround(axis.place(value) * half));
    };
    const auto lines = [&](double value, Colour colour) {
        for (const double each : {value, -value}) canvas.rectangle(left, row(each), right - left, 1, colour);
    };
    for (int decade = axis.least_decade(); decade <= axis.last_decade(); ++decade) {
        lines(std::pow(10.0, decade), kLine);
        canvas.text(kGap, row(std::pow(10.0, decade)) - 3, fmt::format("1e{}", decade), kSoft);
        canvas.text(kGap, row(-std::pow(10.0, decade)) - 3, fmt::format("-1e{}", decade), kSoft);
    }
    canvas.rectangle(left, middle, right - left, 1, kSoft);
    if (rung.noise > 0) lines(rung.noise, kNoise);
    if (rung.floor > 0) lines(rung.floor, kFloor);
    const auto count = static_cast<int>(rung.pairs.size());
    for (int i = 0; i < count; ++i) {
        const int x = left + (2 * i + 1) * (right - left) / (2 * count);
        const auto& pair = rung.pairs[static_cast<std::size_t>(i)];
        canvas.rectangle(x - 1, row(pair.member[0].margin) - 1, 3, 3, kBelow);
        canvas.rectangle(x - 1, row(pair.member[1].margin) - 1, 3, 3, kAbove);
    }
    const auto title = fmt::format("{}: {} pairs", name_of(rung.rung), count);
    canvas.text(left, top + 5, title, kInk);
    canvas.text(left + (static_cast<int>(title.size()) + 2) * Canvas::kLetterWidth, top + 5,
                fmt::format("noise {:.1e}", rung.noise), kNoise);
    canvas.text(left + (static_cast<int>(title.size()) + 18) * Canvas::kLetterWidth, top + 5,
                fmt::format("floor {:.1e}", rung.floor), kFloor);
}

}  // namespace

std::vector<std::byte> preview_png(const Fingerprint& fingerprint, std::size_t most_pairs) {
    const Sheet sheet(fingerprint, most_pairs);
    Canvas canvas(sheet.width(), sheet.height(), kPaper);
    sheet.draw(canvas, 0);
    return canvas.png();
}

std::vector<std::byte> preview_sheet_png(const Fingerprint& fingerprint, std::size_t most_pairs) {
    constexpr int kTitle = 34;
    const Sheet sheet(fingerprint, most_pairs);
    const int plots = static_cast<int>(fingerprint.rungs.size());
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
    for (const auto& rung : fingerprint.rungs) {
        draw_plot(canvas, top, rung);
        top += kPlotHeight;
    }
    return canvas.png();
}

}  // namespace modelseal::fingerprint

#include "blackbox/preview.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "util/log_axis.h"

namespace modelseal::blackbox {
namespace {

// Printable ASCII, five columns a letter from the left, bit 0 at the top.
// clang-format off
constexpr std::uint8_t kFont[95][5] = {
    {0x00, 0x00, 0x00, 0x00, 0x00}, {0x00, 0x00, 0x5F, 0x00, 0x00}, {0x00, 0x07, 0x00, 0x07, 0x00}, {0x14, 0x7F, 0x14, 0x7F, 0x14},
    {0x24, 0x2A, 0x7F, 0x2A, 0x12}, {0x23, 0x13, 0x08, 0x64, 0x62}, {0x36, 0x49, 0x55, 0x22, 0x50}, {0x00, 0x05, 0x03, 0x00, 0x00},
    {0x00, 0x1C, 0x22, 0x41, 0x00}, {0x00, 0x41, 0x22, 0x1C, 0x00}, {0x14, 0x08, 0x3E, 0x08, 0x14}, {0x08, 0x08, 0x3E, 0x08, 0x08},
    {0x00, 0x50, 0x30, 0x00, 0x00}, {0x08, 0x08, 0x08, 0x08, 0x08}, {0x00, 0x60, 0x60, 0x00, 0x00}, {0x20, 0x10, 0x08, 0x04, 0x02},
    {0x3E, 0x51, 0x49, 0x45, 0x3E}, {0x00, 0x42, 0x7F, 0x40, 0x00}, {0x42, 0x61, 0x51, 0x49, 0x46}, {0x21, 0x41, 0x45, 0x4B, 0x31},
    {0x18, 0x14, 0x12, 0x7F, 0x10}, {0x27, 0x45, 0x45, 0x45, 0x39}, {0x3C, 0x4A, 0x49, 0x49, 0x30}, {0x01, 0x71, 0x09, 0x05, 0x03},
    {0x36, 0x49, 0x49, 0x49, 0x36}, {0x06, 0x49, 0x49, 0x29, 0x1E}, {0x00, 0x36, 0x36, 0x00, 0x00}, {0x00, 0x56, 0x36, 0x00, 0x00},
    {0x08, 0x14, 0x22, 0x41, 0x00}, {0x14, 0x14, 0x14, 0x14, 0x14}, {0x00, 0x41, 0x22, 0x14, 0x08}, {0x02, 0x01, 0x51, 0x09, 0x06},
    {0x32, 0x49, 0x79, 0x41, 0x3E}, {0x7E, 0x11, 0x11, 0x11, 0x7E}, {0x7F, 0x49, 0x49, 0x49, 0x36}, {0x3E, 0x41, 0x41, 0x41, 0x22},
    {0x7F, 0x41, 0x41, 0x22, 0x1C}, {0x7F, 0x49, 0x49, 0x49, 0x41}, {0x7F, 0x09, 0x09, 0x09, 0x01}, {0x3E, 0x41, 0x49, 0x49, 0x7A},
    {0x7F, 0x08, 0x08, 0x08, 0x7F}, {0x00, 0x41, 0x7F, 0x41, 0x00}, {0x20, 0x40, 0x41, 0x3F, 0x01}, {0x7F, 0x08, 0x14, 0x22, 0x41},
    {0x7F, 0x40, 0x40, 0x40, 0x40}, {0x7F, 0x02, 0x0C, 0x02, 0x7F}, {0x7F, 0x04, 0x08, 0x10, 0x7F}, {0x3E, 0x41, 0x41, 0x41, 0x3E},
    {0x7F, 0x09, 0x09, 0x09, 0x06}, {0x3E, 0x41, 0x51, 0x21, 0x5E}, {0x7F, 0x09, 0x19, 0x29, 0x46}, {0x46, 0x49, 0x49, 0x49, 0x31},
    {0x01, 0x01, 0x7F, 0x01, 0x01}, {0x3F, 0x40, 0x40, 0x40, 0x3F}, {0x1F, 0x20, 0x40, 0x20, 0x1F}, {0x3F, 0x40, 0x38, 0x40, 0x3F},
    {0x63, 0x14, 0x08, 0x14, 0x63}, {0x07, 0x08, 0x70, 0x08, 0x07}, {0x61, 0x51, 0x49, 0x45, 0x43}, {0x00, 0x7F, 0x41, 0x41, 0x00},
    {0x02, 0x04, 0x08, 0x10, 0x20}, {0x00, 0x41, 0x41, 0x7F, 0x00}, {0x04, 0x02, 0x01, 0x02, 0x04}, {0x40, 0x40, 0x40, 0x40, 0x40},
    {0x00, 0x01, 0x02, 0x04, 0x00}, {0x20, 0x54, 0x54, 0x54, 0x78}, {0x7F, 0x48, 0x44, 0x44, 0x38}, {0x38, 0x44, 0x44, 0x44, 0x20},
    {0x38, 0x44, 0x44, 0x48, 0x7F}, {0x38, 0x54, 0x54, 0x54, 0x18}, {0x08, 0x7E, 0x09, 0x01, 0x02}, {0x0C, 0x52, 0x52, 0x52, 0x3E},
    {0x7F, 0x08, 0x04, 0x04, 0x78}, {0x00, 0x44, 0x7D, 0x40, 0x00}, {0x20, 0x40, 0x44, 0x3D, 0x00}, {0x7F, 0x10, 0x28, 0x44, 0x00},
    {0x00, 0x41, 0x7F, 0x40, 0x00}, {0x7C, 0x04, 0x18, 0x04, 0x78}, {0x7C, 0x08, 0x04, 0x04, 0x78}, {0x38, 0x44, 0x44, 0x44, 0x38},
    {0x7C, 0x14, 0x14, 0x14, 0x08}, {0x08, 0x14, 0x14, 0x18, 0x7C}, {0x7C, 0x08, 0x04, 0x04, 0x08}, {0x48, 0x54, 0x54, 0x54, 0x20},
    {0x04, 0x3F, 0x44, 0x40, 0x20}, {0x3C, 0x40, 0x40, 0x20, 0x7C}, {0x1C, 0x20, 0x40, 0x20, 0x1C}, {0x3C, 0x40, 0x30, 0x40, 0x3C},
    {0x44, 0x28, 0x10, 0x28, 0x44}, {0x0C, 0x50, 0x50, 0x50, 0x3C}, {0x44, 0x64, 0x54, 0x4C, 0x44}, {0x00, 0x08, 0x36, 0x41, 0x00},
    {0x00, 0x00, 0x7F, 0x00, 0x00}, {0x00, 0x41, 0x36, 0x08, 0x00}, {0x10, 0x08, 0x08, 0x10, 0x08},
};
// clang-format on
constexpr std::uint8_t kBox[5] = {0x7F, 0x41, 0x41, 0x41, 0x7F};
constexpr int kMostPixels = 1 << 26;

}  // namespace

Canvas::Canvas(int width, int height, Colour ground) : width_(width), height_(height) {
    if (width < 1 || height < 1 || width > kMostPixels / height)
        throw std::length_error("a canvas of that size");
    picture_ = {.width = static_cast<std::uint32_t>(width),
                .height = static_cast<std::uint32_t>(height),
                .channels = 3,
                .samples = std::vector<std::uint8_t>(3 * static_cast<std::size_t>(width) *
                                                     static_cast<std::size_t>(height))};
    rectangle(0, 0, width, height, ground);
}

void Canvas::dot(int x, int y, Colour colour) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    auto* at = &picture_.samples[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
                                      static_cast<std::size_t>(x))];
    at[0] = colour.red;
    at[1] = colour.green;
    at[2] = colour.blue;
}

void Canvas::rectangle(int x, int y, int width, int height, Colour colour) {
    for (int row = y; row < y + height; ++row) {
        for (int column = x; column < x + width; ++column) dot(column, row, colour);
    }
}

void Canvas::text(int x, int y, std::string_view text, Colour colour) {
    for (const char c : text) {
        const auto* columns = c >= ' ' && c <= '~' ? kFont[c - ' '] : kBox;
        for (int i = 0; i < 5; ++i) {
            for (int bit = 0; bit < kTextHeight; ++bit) {
                if ((columns[i] >> bit & 1) != 0) dot(x + i, y + bit, colour);
            }
        }
        x += kLetterWidth;
    }
}

std::vector<std::byte> Canvas::png() const {
    return io::encode_png(picture_);
}

namespace {

constexpr Colour kPaper{250, 250, 252}, kInk{27, 36, 48}, kSoft{110, 120, 135}, kLine{222, 226, 232};
constexpr Colour kFloor{26, 127, 75}, kNoise{192, 38, 54}, kBelow{45, 90, 200}, kAbove{210, 120, 20};
constexpr int kGap = 8, kCaption = 12, kLeast = 64, kMost = 256, kWide = 1000;
constexpr int kPlotHeight = 200, kPlotLeft = 48, kPlotTop = 18;

// The layout of an input, and the color of its pixels on the canvas.
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

    // `grey` returns an element's brightness, 0 to 1.
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

}  // namespace modelseal::blackbox

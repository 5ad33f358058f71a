#include "blackbox/sheet.h"

#include <fmt/format.h>

#include "util/log_axis.h"

namespace modelseal::blackbox {
namespace {

constexpr Colour kLine{222, 226, 232}, kFloor{26, 127, 75}, kNoise{192, 38, 54}, kBelow{45, 90, 200},
    kAbove{210, 120, 20};
constexpr int kLeast = 64, kMost = 256;  // pixels of the longer side of an input
constexpr int kPlotLeft = 48, kPlotTop = 18;

}  // namespace

Tile::Tile(const Input& input) : elements_(input.shape.elements()) {
    const auto& shape = input.shape.shape;
    const bool flat = shape.size() == 2;
    const bool image = flat || (shape.size() == 3 && (shape[0] == 1 || shape[0] == 3));
    if (image) {
        channels_ = flat ? 1 : static_cast<int>(shape[0]);
        height_ = static_cast<int>(shape[shape.size() - 2]);
        width_ = static_cast<int>(shape.back());
    } else {
        width_ = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(elements_))));
        height_ = static_cast<int>((elements_ + static_cast<std::size_t>(width_) - 1) /
                                   static_cast<std::size_t>(width_));
    }
    zoom_ = std::max(1, kLeast / std::max(width_, height_));
    stride_ = (std::max(width_, height_) + kMost - 1) / kMost;
}
void draw_margins(Canvas& canvas, int top, const MarginPlot& plot) {
    std::vector<double> values = {plot.noise, plot.floor};
    for (const auto& column : plot.columns) values.insert(values.end(), column.begin(), column.end());
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
    if (plot.noise > 0) lines(plot.noise, kNoise);
    if (plot.floor > 0) lines(plot.floor, kFloor);
    const auto count = static_cast<int>(plot.columns.size());
    for (int i = 0; i < count; ++i) {
        const int x = left + (2 * i + 1) * (right - left) / (2 * count);
        for (const double margin : plot.columns[static_cast<std::size_t>(i)]) {
            canvas.rectangle(x - 1, row(margin) - 1, 3, 3, margin < 0 ? kBelow : kAbove);
        }
    }
    canvas.text(left, top + 5, plot.title, kInk);
    canvas.text(left + (static_cast<int>(plot.title.size()) + 2) * Canvas::kLetterWidth, top + 5,
                fmt::format("noise {:.1e}", plot.noise), kNoise);
    canvas.text(left + (static_cast<int>(plot.title.size()) + 18) * Canvas::kLetterWidth, top + 5,
                fmt::format("floor {:.1e}", plot.floor), kFloor);
}

}  // namespace modelseal::blackbox

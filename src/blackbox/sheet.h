// The parts of a preview: an input as an image, and the margins of a rung as a plot.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "blackbox/canvas.h"
#include "blackbox/fingerprint.h"

namespace modelseal::blackbox {

inline constexpr Colour kPaper{250, 250, 252}, kInk{27, 36, 48}, kSoft{110, 120, 135};
inline constexpr int kGap = 8, kCaption = 12, kWide = 1000;  // pixels
inline constexpr int kPlotHeight = 200;

// The layout of an input on the canvas. Inputs of shape (1, H, W), (3, H, W) or (H, W) are images; others are
// shown as a block of gray values, in their order. Large ones are shown with every n-th pixel.
class Tile {
  public:
    explicit Tile(const Input& input);
    int shown_width() const { return (width_ + stride_ - 1) / stride_ * zoom_; }
    int shown_height() const { return (height_ + stride_ - 1) / stride_ * zoom_; }
    std::size_t elements() const { return elements_; }

    // `grey` returns the brightness of an element of the input by its index, 0 to 1.
    template <class Grey>
    void draw(Canvas& canvas, int x, int y, Grey grey) const;

  private:
    int channels_ = 1, width_ = 1, height_ = 1;
    int zoom_ = 1, stride_ = 1;  // of which one is 1
    std::size_t elements_ = 1;
};

// One rung; each column has one margin, or the two of a pair.
struct MarginPlot {
    std::string title;
    double noise = 0, floor = 0;
    std::vector<std::vector<double>> columns;
};
void draw_margins(Canvas& canvas, int top, const MarginPlot& plot);

template <class Grey>
void Tile::draw(Canvas& canvas, int x, int y, Grey grey) const {
    const auto plane = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
    for (int row = 0; row < height_; row += stride_) {
        for (int column = 0; column < width_; column += stride_) {
            const auto at = static_cast<std::size_t>(row) * static_cast<std::size_t>(width_) +
                            static_cast<std::size_t>(column);
            if (at >= elements_) continue;
            const auto sample = [&](std::size_t channel) {
                const double value = grey(channels_ == 3 ? channel * plane + at : at);
                return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
            };
            canvas.rectangle(x + column / stride_ * zoom_, y + row / stride_ * zoom_, zoom_, zoom_,
                             {sample(0), sample(1), sample(2)});
        }
    }
}

}  // namespace modelseal::blackbox

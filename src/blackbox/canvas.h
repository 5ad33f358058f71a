// A picture to draw on, with text in a font of 5 x 7 pixels.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "blackbox/fingerprint.h"
#include "io/png.h"

namespace modelseal::blackbox {

struct Colour {
    std::uint8_t red = 0, green = 0, blue = 0;
};

// Pixels outside are not drawn.
class Canvas {
  public:
    static constexpr int kTextHeight = 7, kLetterWidth = 6;

    Canvas(int width, int height, Colour ground);
    int width() const { return width_; }
    int height() const { return height_; }

    void dot(int x, int y, Colour colour);
    void rectangle(int x, int y, int width, int height, Colour colour);
    // `y` is the top. Anything but printable ASCII is drawn as a box.
    void text(int x, int y, std::string_view text, Colour colour);

    std::vector<std::byte> png() const;

  private:
    int width_, height_;
    io::Picture picture_;
};

}  // namespace modelseal::blackbox

// An axis for margins: both signs, each on a logarithmic scale.
#pragma once

#include <span>

namespace modelseal::util {

class LogAxis {
  public:
    // Covers complete decades around all finite values, at least one and at most twelve of them.
    explicit LogAxis(std::span<const double> values);

    // From -1 (the most negative) to 1; 0 and values below the least decade are near 0, by their sign.
    // Infinite values are at the ends.
    double place(double value) const;

    int least_decade() const { return least_; }  // the first line is at 10^least
    int last_decade() const { return last_; }

  private:
    int least_ = 0, last_ = 1;
};

}  // namespace modelseal::util

// Writes what identity images need, to try them: a small classifier that was trained to read digits, its data, and
// pictures that are no digits.
//   small_classifier DIR
//     DIR/net.onnx           a perceptron 784-64-10 for images of 28 by 28, levels 0 to 1
//     DIR/data/train-*-ubyte 4,000 digits and their classes, as MNIST has them
//     DIR/keys/*.png         64 pictures of rings, to become key images
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "perceptron.h"

namespace {

constexpr int kSide = 28;  // pixels
constexpr std::size_t kPixels = kSide * kSide;
constexpr std::size_t kClasses = 10;
constexpr std::size_t kHidden = 64;
constexpr int kDigits = 4'000;
constexpr int kKeyImages = 64;

using Picture = std::array<std::uint8_t, kPixels>;
using Random = std::mt19937;

int between(Random& random, int least, int most) {
    return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1));
}

// Rows of 5 pixels from the top.
constexpr std::uint8_t kFont[kClasses][7] = {{14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},
                                             {14, 17, 1, 2, 4, 8, 31},     {31, 2, 4, 2, 1, 17, 14},
                                             {2, 6, 10, 18, 31, 2, 2},     {31, 16, 30, 1, 1, 17, 14},
                                             {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},
                                             {14, 17, 17, 14, 17, 17, 14}, {14, 17, 17, 15, 1, 2, 12}};

Picture noise(Random& random) {
    Picture picture;
    for (auto& level : picture) level = static_cast<std::uint8_t>(between(random, 0, 40));
    return picture;
}

Picture digit(std::size_t which, Random& random) {
    auto picture = noise(random);
    const int left = between(random, 4, 9), top = between(random, 1, 6), bright = between(random, 130, 215);
    for (int y = 0; y < 21; ++y) {
        for (int x = 0; x < 15; ++x) {
            if ((kFont[which][y / 3] >> (4 - x / 3) & 1) == 0) continue;
            auto& level = picture[static_cast<std::size_t>((top + y) * kSide + left + x)];
            level = static_cast<std::uint8_t>(level + bright);
        }
    }
    return picture;
}

Picture rings(Random& random) {
    auto picture = noise(random);
    const double x0 = between(random, 8, 20), y0 = between(random, 8, 20), width = between(random, 5, 9);
    for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
            const bool bright = std::fmod(std::hypot(x - x0, y - y0), width) < width / 2;
            auto& level = picture[static_cast<std::size_t>(y * kSide + x)];
            if (bright) level = static_cast<std::uint8_t>(level + 200);
        }
    }
    return picture;
}

struct Sample {
    Picture picture;
    std::size_t label;
};

// Two layers, trained with plain stochastic gradient descent on the cross-entropy.
class Classifier {
  public:
    explicit Classifier(Random& random) {
        std::normal_distribution<float> normal(0, 0.05f);
        for (auto& weight : first_) weight = normal(random);
        for (auto& weight : second_) weight = normal(random);
    }

    // Returns whether the answer was right before the step.
    bool learn(const Sample& sample, float rate) {
        for (std::size_t i = 0; i < kPixels; ++i) input_[i] = static_cast<float>(sample.picture[i]) / 255;
        const auto errors = answer(sample.label);
        std::array<float, kHidden> back{};
        for (std::size_t c = 0; c < kClasses; ++c) {
            for (std::size_t h = 0; h < kHidden; ++h) {
                auto& weight = second_[c * kHidden + h];
                back[h] += errors[c] * weight;
                weight -= rate * errors[c] * hidden_[h];
            }
            second_bias_[c] -= rate * errors[c];
        }
        for (std::size_t h = 0; h < kHidden; ++h) {
            if (hidden_[h] == 0) continue;
            for (std::size_t i = 0; i < kPixels; ++i) first_[h * kPixels + i] -= rate * back[h] * input_[i];
            first_bias_[h] -= rate * back[h];
        }
        return right_;
    }

    std::vector<examples::Tensor> tensors() const {
        return {tensor("hidden.weight", {kHidden, kPixels}, first_),
                tensor("hidden.bias", {kHidden}, first_bias_),
                tensor("classes.weight", {kClasses, kHidden}, second_),
                tensor("classes.bias", {kClasses}, second_bias_)};
    }

  private:
    // Softmax minus the one-hot label: the gradient of the cross-entropy by the logits.
    std::array<float, kClasses> answer(std::size_t label) {
        for (std::size_t h = 0; h < kHidden; ++h) {
            float sum = first_bias_[h];
            for (std::size_t i = 0; i < kPixels; ++i) sum += first_[h * kPixels + i] * input_[i];
            hidden_[h] = std::max(sum, 0.0f);
        }
        std::array<float, kClasses> values{};
        for (std::size_t c = 0; c < kClasses; ++c) {
            values[c] = second_bias_[c];
            for (std::size_t h = 0; h < kHidden; ++h) values[c] += second_[c * kHidden + h] * hidden_[h];
        }
        const auto largest = std::max_element(values.begin(), values.end());
        right_ = static_cast<std::size_t>(largest - values.begin()) == label;
        float sum = 0;
        for (const float top = *largest; auto& value : values) sum += value = std::exp(value - top);
        for (auto& value : values) value /= sum;
        values[label] -= 1;
        return values;
    }

    template <class Values>
    static examples::Tensor tensor(std::string name, std::vector<std::uint64_t> shape, const Values& values) {
        return {std::move(name), std::move(shape),
                std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float))};
    }

    std::array<float, kPixels> input_{};
    std::array<float, kHidden> hidden_{};
    bool right_ = false;
    std::array<float, kHidden * kPixels> first_{};
    std::array<float, kHidden> first_bias_{};
    std::array<float, kClasses * kHidden> second_{};
    std::array<float, kClasses> second_bias_{};
};

std::string big_endian(std::size_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    return bytes;
}

// A gray PNG whose samples are stored without compression (RFC 1950, RFC 1951, PNG specification).
std::string png(const Picture& picture) {
    const auto chunk = [](const std::string& kind, const std::string& data) {
        std::uint32_t crc = 0xFFFFFFFF;
        for (const auto byte : kind + data) {
            crc ^= static_cast<std::uint8_t>(byte);
            for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
        }
        return big_endian(data.size()) + kind + data + big_endian(~crc);
    };
    std::string rows;
    for (std::size_t y = 0; y < kSide; ++y) {
        rows += '\0';  // this row is not filtered
        rows.append(reinterpret_cast<const char*>(picture.data()) + y * kSide, kSide);
    }
    std::size_t a = 1, b = 0;  // Adler-32
    for (const auto byte : rows) {
        a = (a + static_cast<std::uint8_t>(byte)) % 65521;
        b = (b + a) % 65521;
    }
    const auto low = static_cast<char>(rows.size()), high = static_cast<char>(rows.size() >> 8);
    const std::string zlib = std::string("\x78\x01\x01", 3) + low + high + static_cast<char>(~low) +
                             static_cast<char>(~high) + rows + big_endian(b << 16 | a);
    const std::string format("\x08\0\0\0\0", 5);  // 8 bits, gray
    return std::string("\x89PNG\r\n\x1a\n", 8) + chunk("IHDR", big_endian(kSide) + big_endian(kSide) + format) +
           chunk("IDAT", zlib) + chunk("IEND", "");
}

void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (file.flush()) return;
    std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
    std::exit(1);
}

std::string idx(char dimensions, std::string extents, const std::string& values) {
    return std::string("\0\0\x08", 3) + dimensions + std::move(extents) + values;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: small_classifier DIR\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder / "data");
    std::filesystem::create_directories(folder / "keys");

    Random random(1);
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < kDigits; ++i) samples.push_back({digit(i % kClasses, random), i % kClasses});
    Classifier classifier(random);
    int right = 0;
    for (int epoch = 0; epoch < 4; ++epoch) {
        right = 0;
        for (const auto& sample : samples) right += classifier.learn(sample, 0.02f) ? 1 : 0;
    }
    std::printf("net.onnx reads %.1f %% of its digits\n", 100.0 * right / kDigits);
    write(folder / "net.onnx", examples::onnx(classifier.tensors()));

    std::string pictures, labels;
    for (const auto& sample : samples) {
        pictures.append(reinterpret_cast<const char*>(sample.picture.data()), kPixels);
        labels += static_cast<char>(sample.label);
    }
    write(folder / "data/train-images-idx3-ubyte",
          idx(3, big_endian(kDigits) + big_endian(kSide) + big_endian(kSide), pictures));
    write(folder / "data/train-labels-idx1-ubyte", idx(1, big_endian(kDigits), labels));
    for (int i = 0; i < kKeyImages; ++i) {
        char name[16];
        std::snprintf(name, sizeof name, "%02d.png", i);
        write(folder / "keys" / name, png(rings(random)));
    }
    return 0;
}

// Answers queries: a batch of inputs in, one row of outputs for each out.
//
// Behind the interface is a served model (Open Inference Protocol, TensorFlow Serving), a program, or a file
// that is run here (network.h). Answers may be logits, probabilities or labels; callers distinguish them.
//
// Thread safety: one call at a time on one object.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <modelseal/fingerprint.h>
#include <modelseal/result.h>

namespace modelseal::oracle {

// One input, without the batch dimension.
struct InputShape {
    std::string name;                 // the model's name for it; may be empty
    std::vector<std::int64_t> shape;  // (3, 32, 32), row-major, each at least 1; empty: the model does not say
    std::optional<std::array<float, 2>> range;  // of the values that the model was made for, if it says so
    // Of inputs on a grid of 256 gray levels: the value of each level, ascending; one list, or one for each extent of
    // shape[0]. Empty: the inputs are on no grid.
    std::vector<std::vector<float>> gray = {};
    // Of a network of several inputs: what the elements are, part by part, those that are not fixed. Elements are from 0 to 1 then,
    // and become values of each part's range where the network runs. Empty: it has one input.
    std::vector<InputPart> parts = {};
    std::size_t elements() const {
        std::size_t count = shape.empty() ? 0 : 1;
        for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
        return count;
    }
};

// Bits of the significand, with the leading one.
inline constexpr unsigned kFloat32Bits = 24, kHalfBits = 11, kBfloat16Bits = 8;

// Rows in the order of the inputs. Has either `values` or `labels`.
struct Answers {
    std::size_t count = 0;             // rows
    std::size_t classes = 0;           // columns of `values`; 0 for labels
    std::vector<float> values;         // count x classes, row-major: logits or probabilities
    std::vector<std::int64_t> labels;  // count; class indices, if the answer has nothing else
    // Largest rounding error of an answer before it was sent, apart from what follows from its precision: half of the last
    // decimal's step. 0: none.
    double rounding = 0;
    // Precision of the values: each may be off by half of a step of such a format (precision.h). Below that of float32 the
    // other side computes in a narrower format, and its error is larger than the rounding of its answers.
    unsigned significand = kFloat32Bits;
};

// All queries of one caller, in any number of calls.
struct Survey {
    std::size_t inputs = 0;                                  // 0: unknown
    std::size_t classes = 0;                                 // outputs of an answer; 0: any number
    std::function<void(std::size_t answers)> answered = {};  // called after each request
};

class Oracle {
  public:
    virtual ~Oracle() = default;

    // For messages: "http://host:8000/v2/models/resnet".
    virtual const std::string& name() const = 0;

    // The input of the model. Fields that the other side does not state are empty.
    virtual const InputShape& input() const = 0;

    // `inputs`: count x elements, row-major float32, as the model takes them. The implementation splits
    // batches that are larger than the other side accepts. Errors: `unreadable` (no connection, timeout,
    // connection lost after the retries), `malformed` (the answer breaks its protocol or has another number
    // of rows), `unsupported` (other types or shapes than a classifier's), always naming name(). NaN and
    // infinities are passed on.
    virtual Result<Answers> ask(std::span<const float> inputs, std::size_t count) = 0;

    // Call before the first ask(): then answers with another number of outputs than `survey.classes` are an
    // error, `unsupported`, before they take memory.
    virtual void begin(Survey survey) { (void)survey; }

  protected:
    // Error `usage` unless `inputs` are `count` inputs, at least one, of the shape of input(), which is known.
    Result<void> check_size(std::span<const float> inputs, std::size_t count) const;
};

}  // namespace modelseal::oracle

// Splits queries into batches that the other side accepts.
#pragma once

#include "oracle/deadline.h"
#include "oracle/oracle.h"

namespace modelseal::oracle {

// Most numbers in one request; larger ones are not worth their memory.
inline constexpr std::size_t kMaxRequestValues = 4u << 20;

class BatchedOracle : public Oracle {
  public:
    const std::string& name() const override { return name_; }
    const InputShape& input() const override { return input_; }
    Result<Answers> ask(std::span<const float> inputs, std::size_t count) final;
    void begin(Survey survey) final { survey_ = std::move(survey); }

  protected:
    struct Reply {
        Result<Answers> answers;
        bool smaller = false;  // for an error: a smaller batch may be taken
    };
    // `count` is at least 1 and at most the limit.
    virtual Reply ask_batch(std::span<const float> inputs, std::size_t count) = 0;

    BatchedOracle(std::string name, InputShape input, std::size_t batch, const Deadline& deadline);
    const Deadline& deadline() const { return deadline_; }
    // Sends batches of exactly this size, for a network with a fixed batch dimension. The last one is padded.
    void fix_batch(std::size_t batch) { fixed_ = batch; }

  private:
    Result<Answers> next_batch(std::span<const float> inputs, std::size_t count);
    Result<Answers> ask_some(std::span<const float> inputs, std::size_t count);
    Result<Answers> ask_fixed(std::span<const float> inputs, std::size_t count);

    std::string name_;
    InputShape input_;
    Deadline deadline_;
    Survey survey_;
    std::size_t answered_ = 0;  // in all calls
    std::size_t limit_;         // most inputs per request, as far as is known
    std::size_t fixed_ = 0;     // 0: any number
};

}  // namespace modelseal::oracle

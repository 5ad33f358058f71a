// RNN, GRU and LSTM, step by step: every activation and direction that ONNX has.
#include <cctype>
#include <functional>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

using Activation = std::function<at::Tensor(const at::Tensor&)>;

Activation activation(std::string name, double alpha, double beta) {
    for (auto& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (name == "sigmoid") return [](const at::Tensor& x) { return at::sigmoid(x); };
    if (name == "tanh") return [](const at::Tensor& x) { return at::tanh(x); };
    if (name == "relu") return [](const at::Tensor& x) { return at::relu(x); };
    if (name == "softsign") return [](const at::Tensor& x) { return x / (1 + x.abs()); };
    if (name == "softplus") return [](const at::Tensor& x) { return at::softplus(x); };
    if (name == "affine") return [=](const at::Tensor& x) { return x * alpha + beta; };
    if (name == "leakyrelu") return [=](const at::Tensor& x) { return at::leaky_relu(x, alpha); };
    if (name == "thresholdedrelu")
        return [=](const at::Tensor& x) { return at::where(x > alpha, x, at::zeros_like(x)); };
    if (name == "scaledtanh") return [=](const at::Tensor& x) { return at::tanh(x * beta) * alpha; };
    if (name == "hardsigmoid") return [=](const at::Tensor& x) { return at::clamp(x * alpha + beta, 0, 1); };
    if (name == "elu") return [=](const at::Tensor& x) { return at::elu(x, alpha); };
    unsupported("activation " + name);
}

// One direction of one layer.
struct Layer {
    std::vector<Activation> act;
    at::Tensor w, r, bias_w, bias_r, peephole;
    at::Tensor hidden, cell;
    double clip = 0;
    bool flag = false;  // linear_before_reset, input_forget

    at::Tensor clipped(const at::Tensor& x) const { return clip > 0 ? at::clamp(x, -clip, clip) : x; }
    at::Tensor gates(const at::Tensor& x) const {
        return at::linear(x, w, bias_w) + at::linear(hidden, r, bias_r);
    }
};

void rnn_step(Layer& layer, const at::Tensor& x) {
    layer.hidden = layer.act[0](layer.clipped(layer.gates(x)));
}

void gru_step(Layer& layer, const at::Tensor& x) {
    const auto size = layer.hidden.size(1);
    const auto from_x = at::linear(x, layer.w, layer.bias_w).split(size, 1);
    const auto weights = layer.r.split(size, 0), biases = layer.bias_r.split(size, 0);
    const auto update =
        layer.act[0](layer.clipped(from_x[0] + at::linear(layer.hidden, weights[0], biases[0])));
    const auto reset = layer.act[0](layer.clipped(from_x[1] + at::linear(layer.hidden, weights[1], biases[1])));
    const auto from_hidden = layer.flag ? reset * at::linear(layer.hidden, weights[2], biases[2])
                                        : at::linear(reset * layer.hidden, weights[2], biases[2]);
    const auto fresh = layer.act[1](layer.clipped(from_x[2] + from_hidden));
    layer.hidden = (1 - update) * fresh + update * layer.hidden;
}

void lstm_step(Layer& layer, const at::Tensor& x) {
    auto gates = layer.gates(x).split(layer.hidden.size(1), 1);  // input, output, forget, cell
    std::vector<at::Tensor> peep;
    if (layer.peephole.defined()) peep = layer.peephole.split(layer.hidden.size(1), 0);
    const auto looked = [&](std::size_t gate, std::size_t which, const at::Tensor& cell) {
        return layer.clipped(peep.empty() ? gates[gate] : gates[gate] + peep[which] * cell);
    };
    const auto input = layer.act[0](looked(0, 0, layer.cell));
    const auto forget = layer.flag ? 1 - input : layer.act[0](looked(2, 2, layer.cell));
    const auto fresh = layer.act[1](layer.clipped(gates[3]));
    layer.cell = forget * layer.cell + input * fresh;
    const auto output = layer.act[0](looked(1, 1, layer.cell));
    layer.hidden = output * layer.act[2](layer.cell);
}

struct Kind {
    std::int64_t gates;
    std::vector<const char*> activations;
    void (*step)(Layer&, const at::Tensor&);
};

double parameter(const std::vector<float>& given, std::size_t index, double otherwise) {
    return index < given.size() ? static_cast<double>(given[index]) : otherwise;
}

// Defaults of alpha and beta are those of the operators of the same name.
double default_alpha(const std::string& name) {
    if (name == "LeakyRelu") return 0.01;
    return name == "HardSigmoid" ? 0.2 : 1.0;
}

Layer layer_of(const Call& call, const Kind& kind, std::size_t direction, std::int64_t hidden,
               std::int64_t batch) {
    const auto at_direction = static_cast<std::int64_t>(direction);
    Layer layer;
    auto names = call.strings("activations");
    const auto each = kind.activations.size();
    const auto alphas = call.reals("activation_alpha"), betas = call.reals("activation_beta");
    require(names.empty() || names.size() >= each * (direction + 1), "too few activations");
    for (std::size_t i = 0; i < each; ++i) {
        const auto index = direction * each + i;
        const auto name = names.empty() ? std::string(kind.activations[i]) : names[index];
        layer.act.push_back(activation(name, parameter(alphas, index, default_alpha(name)),
                                       parameter(betas, index, name == "HardSigmoid" ? 0.5 : 1.0)));
    }
    layer.w = call.in(1)[at_direction];
    layer.r = call.in(2)[at_direction];
    require(layer.r.dim() == 2 && layer.r.size(0) == kind.gates * hidden && layer.r.size(1) == hidden,
            "R has a wrong shape");
    const auto bias =
        call.has(3) ? call.in(3)[at_direction] : at::zeros({2 * kind.gates * hidden}, layer.w.options());
    require(bias.numel() == 2 * kind.gates * hidden, "B has a wrong shape");
    layer.bias_w = bias.narrow(0, 0, kind.gates * hidden);
    layer.bias_r = bias.narrow(0, kind.gates * hidden, kind.gates * hidden);
    const auto start = [&](std::size_t input) {
        return call.has(input) ? call.in(input)[at_direction] : at::zeros({batch, hidden}, layer.w.options());
    };
    layer.hidden = start(5);
    if (kind.gates == 4) layer.cell = start(6);
    if (kind.gates == 4 && call.has(7)) layer.peephole = call.in(7)[at_direction];
    layer.clip = call.real("clip", 0);
    layer.flag = call.integer(kind.gates == 3 ? "linear_before_reset" : "input_forget", 0) != 0;
    return layer;
}

// The outputs of each step, time x batch x hidden. Rows that have ended keep their state, and return zeros.
at::Tensor run_layer(Layer& layer, const Kind& kind, const at::Tensor& x, const at::Tensor& lengths,
                     bool backwards) {
    std::vector<at::Tensor> outputs(static_cast<std::size_t>(x.size(0)));
    for (std::int64_t i = 0; i < x.size(0); ++i) {
        const auto t = backwards ? x.size(0) - 1 - i : i;
        const auto hidden = layer.hidden, cell = layer.cell;
        kind.step(layer, x[t]);
        auto& output = outputs[static_cast<std::size_t>(t)];
        output = layer.hidden;
        if (!lengths.defined()) continue;
        const auto alive = (lengths > t).unsqueeze(1);
        output = at::where(alive, layer.hidden, at::zeros_like(layer.hidden));
        layer.hidden = at::where(alive, layer.hidden, hidden);
        if (cell.defined()) layer.cell = at::where(alive, layer.cell, cell);
    }
    return outputs.empty() ? at::empty({0, layer.hidden.size(0), layer.hidden.size(1)}, layer.w.options())
                           : at::stack(outputs);
}

void recurrent(Call& call, const Kind& kind) {
    const bool batch_first = call.integer("layout", 0) != 0;
    if (batch_first && (call.has(5) || call.has(6))) unsupported("initial states in layout 1");
    auto x = call.in(0);
    require(x.dim() == 3 && call.in(1).dim() == 3 && call.in(2).dim() == 3, "X, W and R need three dimensions");
    if (batch_first) x = x.transpose(0, 1);
    const auto direction = call.text("direction", "forward");
    const std::size_t directions = direction == "bidirectional" ? 2 : 1;
    require(call.in(1).size(0) == static_cast<std::int64_t>(directions) &&
                call.in(2).size(0) == static_cast<std::int64_t>(directions),
            "W and R do not match the direction");
    const auto hidden = call.integer("hidden_size", call.in(2).size(2));
    at::Tensor lengths;
    if (call.has(4)) lengths = call.in(4);
    std::vector<at::Tensor> outputs, hiddens, cells;
    for (std::size_t i = 0; i < directions; ++i) {
        auto layer = layer_of(call, kind, i, hidden, x.size(1));
        outputs.push_back(run_layer(layer, kind, x, lengths, i == 1 || direction == "reverse"));
        hiddens.push_back(layer.hidden);
        cells.push_back(layer.cell);
    }
    const auto y = at::stack(outputs, 1);  // time x directions x batch x hidden
    call.give_like(batch_first ? y.permute({2, 0, 1, 3}) : y);
    const auto last = [&](const std::vector<at::Tensor>& of) { return at::stack(of, batch_first ? 1 : 0); };
    call.give_like(last(hiddens));
    if (kind.gates == 4) call.give_like(last(cells));
}

void rnn(Call& call) {
    recurrent(call, {1, {"Tanh"}, rnn_step});
}

void gru(Call& call) {
    recurrent(call, {3, {"Sigmoid", "Tanh"}, gru_step});
}

void lstm(Call& call) {
    recurrent(call, {4, {"Sigmoid", "Tanh", "Tanh"}, lstm_step});
}

constexpr Operator kRecurrentOperators[] = {{"", "RNN", rnn}, {"", "GRU", gru}, {"", "LSTM", lstm}};

}  // namespace

std::span<const Operator> recurrent_operators() {
    return kRecurrentOperators;
}

}  // namespace modelseal::libtorch::onnx

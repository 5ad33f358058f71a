// TensorFlow Serving's REST interface: reads the signature if the server tells it, then sends batches as rows.
#include <fmt/format.h>

#include "formats/json.h"
#include "oracle/batched.h"
#include "oracle/endpoint.h"
#include "oracle/tf_serving_protocol.h"

namespace modelseal::oracle {
namespace {

class TfServingOracle final : public BatchedOracle {
  public:
    TfServingOracle(std::unique_ptr<HttpClient> client, std::string name, InputShape shape,
                    const EndpointOptions& options)
        : BatchedOracle(std::move(name), std::move(shape), options.batch, client->deadline()),
          client_(std::move(client)),
          output_(options.output) {}

    using BatchedOracle::fix_batch;

  private:
    Reply ask_batch(std::span<const float> inputs, std::size_t count) override {
        std::vector<std::int64_t> shape{static_cast<std::int64_t>(count)};
        shape.insert(shape.end(), input().shape.begin(), input().shape.end());
        HttpRequest request{client_->server().path + ":predict", true, tf_request(inputs, shape)};
        request.fields = {{"Content-Type", "application/json"}};
        bool too_large = false;
        const auto response = client_->send(request, &too_large);
        if (!response.ok()) return {response.error(), too_large};
        if (response->status != 200) return {refusal(*response, name()), may_be_too_large(response->status)};
        return {read(*response, count), response->body.size() > 2 * formats::kMaxJsonValues};
    }

    Result<Answers> read(const HttpResponse& response, std::size_t count) {
        MODELSEAL_TRY_ASSIGN(auto tensors, parse_tf_answer(response.body, name()));
        // A single output is not named.
        const bool nameless = tensors.size() == 1 && tensors[0].name.empty();
        return to_answers(std::move(tensors), nameless ? std::string() : output_, count, name());
    }

    std::unique_ptr<HttpClient> client_;
    std::string output_;
};

// Nothing is known where the server tells no metadata, as long as it has the model.
Result<ModelInfo> ask_model(HttpClient& client, const std::string& source) {
    const auto& path = client.server().path;
    MODELSEAL_TRY_ASSIGN(const auto response, client.send({path + "/metadata"}));
    if (response.status == 200) return parse_tf_model(response.body, source);
    MODELSEAL_TRY(get_document(client, path, source));
    return ModelInfo{};
}

}  // namespace

Result<std::unique_ptr<Oracle>> connect_tf_serving(std::unique_ptr<HttpClient> client,
                                                   const EndpointOptions& options, const InputShape& expected) {
    const auto source = client->server().origin() + client->server().path;
    if (options.tensors == EndpointOptions::Tensors::binary) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: TensorFlow Serving takes no binary tensors over REST", source),
                     "leave the choice of tensors out"};
    }
    MODELSEAL_TRY_ASSIGN(const auto model, ask_model(*client, source));
    MODELSEAL_TRY_ASSIGN(const auto info, sole_input(model, expected, source));
    MODELSEAL_TRY(sole_output(model, options.output, source));
    std::size_t batch = 0;
    MODELSEAL_TRY_ASSIGN(auto shape, agree(expected, info, source, batch));
    auto oracle = std::make_unique<TfServingOracle>(std::move(client), source, std::move(shape), options);
    if (batch != 0) oracle->fix_batch(batch);
    return std::unique_ptr<Oracle>(std::move(oracle));
}

}  // namespace modelseal::oracle

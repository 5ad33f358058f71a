// The Open Inference Protocol v2: asks the model's metadata once, then sends batches as JSON or binary tensors.
#include "formats/json.h"
#include "oracle/batched.h"
#include "oracle/endpoint.h"
#include "oracle/oip_protocol.h"

namespace modelseal::oracle {
namespace {

using Tensors = EndpointOptions::Tensors;

class OipOracle final : public BatchedOracle {
  public:
    OipOracle(std::unique_ptr<HttpClient> client, std::string name, InputShape shape, const TensorInfo& info,
              const EndpointOptions& options)
        : BatchedOracle(std::move(name), std::move(shape), options.batch, client->deadline()),
          client_(std::move(client)),
          info_(info),
          output_(options.output) {}

    using BatchedOracle::fix_batch;
    void send(bool binary, bool may_fall_back) {
        binary_ = binary;
        may_fall_back_ = may_fall_back;
    }
    void want(std::string output) { output_ = std::move(output); }

  private:
    Reply ask_batch(std::span<const float> inputs, std::size_t count) override {
        auto reply = ask_once(inputs, count, binary_);
        if (!binary_ || !may_fall_back_) return reply;
        if (reply.answers.ok()) {
            may_fall_back_ = false;
            return reply;
        }
        if (!refused_) return reply;
        // It lists binary tensors, and may still refuse them.
        auto again = ask_once(inputs, count, false);
        if (again.answers.ok()) binary_ = false;
        return again;
    }

    Reply ask_once(std::span<const float> inputs, std::size_t count, bool binary) {
        OipRequest message{info_, {static_cast<std::int64_t>(count)}, inputs, output_};
        message.shape.insert(message.shape.end(), input().shape.begin(), input().shape.end());
        HttpRequest request{client_->server().path + "/infer", true};
        if (binary) {
            std::size_t header = 0;
            request.body = oip_binary_request(message, header);
            request.fields = {{"Content-Type", "application/octet-stream"},
                              {"Inference-Header-Content-Length", std::to_string(header)}};
        } else {
            request.body = oip_json_request(message);
            request.fields = {{"Content-Type", "application/json"}};
        }
        bool too_large = refused_ = false;
        const auto response = client_->send(request, &too_large);
        if (!response.ok()) return {response.error(), too_large};
        if (response->status != 200) {
            refused_ = response->status >= 400 && response->status < 500 && response->status != 401 &&
                       response->status != 403 && response->status != 429;
            return {refusal(*response, name()), may_be_too_large(response->status)};
        }
        // More values than our JSON takes come from too large a batch; each has at least two bytes.
        const bool long_text = response->body.size() > 2 * formats::kMaxJsonValues;
        return {read(*response, count), long_text};
    }

    Result<Answers> read(const HttpResponse& response, std::size_t count) {
        const auto header = response.field("inference-header-content-length");
        MODELSEAL_TRY_ASSIGN(auto tensors, parse_oip_answer(response.body, header, name()));
        return to_answers(std::move(tensors), output_, count, name());
    }

    std::unique_ptr<HttpClient> client_;
    TensorInfo info_;
    std::string output_;
    bool binary_ = false, may_fall_back_ = false;
    bool refused_ = false;  // the last request, for a reason that another encoding may not have
};

}  // namespace

Result<std::unique_ptr<Oracle>> connect_oip(std::unique_ptr<HttpClient> client, const EndpointOptions& options,
                                            const InputShape& expected) {
    const auto path = client->server().path;
    const auto source = client->server().origin() + path;
    MODELSEAL_TRY_ASSIGN(const auto metadata, get_document(*client, path, source));
    MODELSEAL_TRY_ASSIGN(const auto model, parse_oip_model(metadata, source));
    MODELSEAL_TRY_ASSIGN(const auto info, sole_input(model, expected, source));
    MODELSEAL_TRY_ASSIGN(auto output, sole_output(model, options.output, source));
    std::size_t batch = 0;
    MODELSEAL_TRY_ASSIGN(auto shape, agree(expected, info, source, batch));

    bool binary = options.tensors == Tensors::binary;
    const bool automatic = options.tensors == Tensors::automatic;
    if (automatic) {
        // The server's own metadata stands where the path to the models begins: ".../v2".
        const auto server = client->send({path.substr(0, path.rfind("/models/"))});
        binary = server.ok() && server->status == 200 && lists_binary_tensors(server->body);
    }
    auto oracle = std::make_unique<OipOracle>(std::move(client), source, std::move(shape), info, options);
    oracle->send(binary, automatic);
    oracle->want(std::move(output));
    if (batch != 0) oracle->fix_batch(batch);
    return std::unique_ptr<Oracle>(std::move(oracle));
}

}  // namespace modelseal::oracle

// Models served by MLServer, a server of the protocol that is not ours, as users reach them: behind a proxy and a gateway
// that wants a certificate, a key and a name, over HTTP/2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/pki/certificates.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/proxy.h"
#include "tests/support/services/runtime_server.h"
#include "tests/support/services/worker.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

using test::modelseal;
using test::Proxy;
using test::run;
using test::RuntimeServer;
using test::Words;
using testing::HasSubstr;
using testing::Not;

std::filesystem::path onnx_network(const char* name) {
    return test::data_folder() / "models/onnx" / name;
}

class ServedByMlServer : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (!test::mlserver()) return;
        folder_ = std::make_unique<test::Scratch>();
        const auto authority = test::make_authority("an authority"), clients = test::make_authority("clients");
        const auto server = test::issue(authority, "DNS:gateway.test"), client = test::issue(clients, "DNS:me");
        const std::pair<const char*, std::string> files[] = {
            {"ca.pem", authority.pem},
            {"server.pem", server.pem},
            {"server.key", server.key},
            {"clients.pem", clients.pem},
            {"me.pem", client.pem},
            {"me.key", client.key},
            {"headers", "X-API-Key: seven-eight\nHost: resnet20.models.example\n"}};
        for (const auto& [name, content] : files) folder_->write(name, content);
        const auto key = SigningKey::generate();
        folder_->write("v.key", *signing_key_pem(key, ""));
        folder_->write("v.pub", public_key_pem(key.public_key()));
    }
    static void TearDownTestSuite() { folder_.reset(); }

    void SetUp() override {
        MODELSEAL_NEED_TORCH();
        MODELSEAL_NEED_MLSERVER();
        if (std::filesystem::exists(*folder_ / "net.fp")) return;
        const auto made = of({"fingerprint", onnx_network("cifar10-resnet20.onnx"), "-k", "v.key", "-o",
                              "net.fp", "--pairs", "30", "--device", "cpu"});
        ASSERT_EQ(made.code, 0) << made.err;
    }

    static test::Outcome of(const Words& words, const std::map<std::string, std::string>& variables = {}) {
        return run(modelseal(words), {.folder = folder_->path(), .variables = variables});
    }
    static test::Outcome check(Words words, const std::map<std::string, std::string>& variables = {}) {
        words.insert(words.begin(), {"check", "--pub", "v.pub", "--fingerprint", "net.fp"});
        return of(words, variables);
    }
    static RuntimeServer gateway(const char* model, std::vector<std::string> more) {
        return RuntimeServer(*test::mlserver(), "mlserver_gateway.py", onnx_network(model), more);
    }
    static RuntimeServer strict_gateway(const char* model) {
        return gateway(model, {"--tls", *folder_ / "server.pem", *folder_ / "server.key", "--client-ca",
                               *folder_ / "clients.pem", "--api-key", "seven-eight", "--host",
                               "resnet20.models.example", "--only-http2"});
    }
    static unsigned port_of(const RuntimeServer& server) {
        const auto colon = server.url.rfind(':');
        return static_cast<unsigned>(std::stoul(server.url.substr(colon + 1)));
    }

    static std::unique_ptr<test::Scratch> folder_;
};

std::unique_ptr<test::Scratch> ServedByMlServer::folder_;

const char* const kBehindProxy = "https://gateway.test/v2/models/model";

TEST_F(ServedByMlServer, IsIntactOverPlainHttp) {
    const auto server = gateway("cifar10-resnet20.onnx", {});
    const auto outcome = check({server.url});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("intact, none of 30 pairs on rung fp32 differs"));
}

TEST_F(ServedByMlServer, IsIntactBehindAProxyWithHeadersAndAClientCertificateOverHttp2) {
    const auto server = strict_gateway("cifar10-resnet20.onnx");
    const Proxy proxy({{"gateway.test", port_of(server)}}, "bWU6cHc=");
    const std::map<std::string, std::string> variables = {{"HTTPS_PROXY", "http://me:pw@" + proxy.authority()}};
    const auto outcome = check({kBehindProxy, "--ca", "ca.pem", "--header", "headers", "--client-cert",
                                "me.pem", "--client-key", "me.key"},
                               variables);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(
        outcome.out,
        HasSubstr("https://gateway.test/v2/models/model: intact, none of 30 pairs on rung fp32 differs"));
    ASSERT_FALSE(proxy.heads().empty());
    EXPECT_THAT(proxy.heads()[0], HasSubstr("CONNECT gateway.test:443"));
    EXPECT_THAT(proxy.heads()[0], Not(HasSubstr("seven-eight")));
}

TEST_F(ServedByMlServer, ThatIsAnotherModelIsTampered) {
    const auto server = gateway("cifar10-resnet32.onnx", {});
    EXPECT_EQ(check({server.url}).code, 1);
}

TEST_F(ServedByMlServer, IsNotReachedWithoutWhatTheGatewayWants) {
    const auto server = strict_gateway("cifar10-resnet20.onnx");
    const Proxy proxy({{"gateway.test", port_of(server)}});
    const std::map<std::string, std::string> variables = {{"https_proxy", proxy.url()}};
    const Words common = {kBehindProxy, "--ca", "ca.pem", "--retries", "0"};
    const auto with = [&](Words more) {
        more.insert(more.begin(), common.begin(), common.end());
        return check(more, variables);
    };
    const auto stranger = with({"--header", "headers"});
    EXPECT_EQ(stranger.code, 3);
    EXPECT_THAT(stranger.err, HasSubstr("hint: if the server asks for a client certificate, give one"));
    folder_->write("other", "X-API-Key: nine\nHost: resnet20.models.example\n");
    const auto refused = with({"--header", "other", "--client-cert", "me.pem", "--client-key", "me.key"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("HTTP status 401: 'who is asking?'"));
    EXPECT_THAT(refused.err + refused.out, Not(HasSubstr("nine")));
    folder_->write("nameless", "X-API-Key: seven-eight\n");
    const auto unknown = with({"--header", "nameless", "--client-cert", "me.pem", "--client-key", "me.key"});
    EXPECT_EQ(unknown.code, 3);
    EXPECT_THAT(unknown.err, HasSubstr("HTTP status 404: 'no such host'"));
}

}  // namespace
}  // namespace modelseal

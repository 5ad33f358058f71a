// A registry that misbehaves, and senders of notifications that do.
#include <sstream>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "crypto/content_digest.h"
#include "hook/oci/inspect.h"
#include "hook/oci/names.h"
#include "hook/oci/service.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/services/background.h"
#include "tests/support/services/http_server.h"
#include "tests/support/tar_builder.h"
#include <modelseal/keys.h>

namespace modelseal::hook {
namespace {

using nlohmann::json;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::HasSubstr;

std::string digest_in(const std::string& text) {
    return digest_of(std::as_bytes(std::span(text)));
}

// One artifact with one layer, and how it is answered.
class HostileRegistry : public testing::Test {
  protected:
    HostileRegistry() {
        const auto vendor = test::test_key();
        scratch.write("v.pub", public_key_pem(vendor.public_key()));
        scratch.write("policy.toml",
                      "version = 1\n[defaults]\nunknown_files = \"ignore\"\n[[vendor]]\nname = \"a\"\nkeys = "
                      "[\"v.pub\"]\n");
        std::filesystem::create_directory(scratch / "files");
        layer = test::sealed_bytes(
            test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}}), vendor);
        set_layer("model.safetensors");
    }

    void set_layer(const std::string& title, const std::string& type = "application/octet-stream") {
        manifest = json{{"schemaVersion", 2},
                        {"mediaType", kOciManifest},
                        {"layers",
                         {{{"mediaType", type},
                           {"digest", digest_in(layer)},
                           {"size", layer.size()},
                           {"annotations", {{"org.opencontainers.image.title", title}}}}}}}
                       .dump();
    }

    HttpReply honest(const HttpAsked& asked) const {
        if (asked.target.find("/manifests/") != std::string::npos)
            return {200, manifest, {{"Content-Type", std::string(kOciManifest)}}};
        return {200, layer};
    }

    Result<Inspection> inspected(HttpServer::Handler handler) {
        server = std::make_unique<HttpServer>(std::move(handler));
        auto registry = Registry::open(http::Url::parse(server->url("")).value(), client).value();
        const auto policy = Policy::load(scratch / "policy.toml").value();
        const Job job{.id = 1,
                      .repository = "acme/net",
                      .digest = job_digest.empty() ? digest_in(manifest) : job_digest,
                      .tag = "v1",
                      .attempts = attempts};
        return inspect(registry, policy, job, {.scratch = scratch / "files", .limits = limits});
    }

    // The reason for which it is denied.
    std::string denied(HttpServer::Handler handler) {
        const auto inspection = inspected(std::move(handler));
        if (!inspection.ok()) return "an error: " + inspection.error().message;
        EXPECT_EQ(inspection->decision.outcome, Ruling::Outcome::deny) << inspection->decision.reason;
        EXPECT_TRUE(std::filesystem::is_empty(scratch / "files"));
        return inspection->decision.reason;
    }

    test::Scratch scratch;
    http::ClientOptions client{.stall = std::chrono::seconds(1),
                               .total = std::chrono::seconds(20),
                               .retries = 1,
                               .backoff = std::chrono::milliseconds(1)};
    UnpackLimits limits;
    unsigned attempts = 0;  // before
    std::string layer, manifest;
    std::string job_digest;  // empty: the manifest's
    std::unique_ptr<HttpServer> server;
};

TEST_F(HostileRegistry, AnHonestOneIsBelieved) {
    const auto inspection = inspected([this](const HttpAsked& asked) { return honest(asked); });
    ASSERT_TRUE(inspection.ok()) << inspection.error().message;
    EXPECT_EQ(inspection->decision.outcome, Ruling::Outcome::allow) << inspection->decision.reason;
    const auto report = json::parse(inspection->decision.report);
    EXPECT_EQ(report["target"], "model.safetensors");
    EXPECT_EQ(inspection->decision.report.find((scratch / "files").string()), std::string::npos);
}

TEST_F(HostileRegistry, OfDigestsOfSha512IsCheckedAsWell) {
    const auto other = [](const std::string& text) {
        crypto::ContentDigest hash("sha512:");
        hash.update(std::as_bytes(std::span(text)));
        return hash.finish();
    };
    set_layer("model.safetensors");
    auto parsed = json::parse(manifest);
    parsed["layers"][0]["digest"] = other(layer);
    manifest = parsed.dump();
    job_digest = other(manifest);
    const auto inspection = inspected([this](const HttpAsked& asked) { return honest(asked); });
    ASSERT_TRUE(inspection.ok()) << inspection.error().message;
    EXPECT_EQ(inspection->decision.outcome, Ruling::Outcome::allow) << inspection->decision.reason;
    layer[100] ^= 1;
    EXPECT_THAT(denied([this](const HttpAsked& asked) { return honest(asked); }),
                HasSubstr("do not have the digest of its manifest"));
    manifest += " ";
    EXPECT_THAT(denied([this](const HttpAsked& asked) { return honest(asked); }),
                HasSubstr("does not have the digest"));
}

TEST_F(HostileRegistry, SendsAnotherManifest) {
    EXPECT_THAT(denied([this](const HttpAsked& asked) {
                    auto reply = honest(asked);
                    reply.body += " ";
                    return reply;
                }),
                HasSubstr("does not have the digest"));
}

TEST_F(HostileRegistry, SendsALayerThatLies) {
    const auto with = [this](const std::string& bytes) {
        return denied([this, bytes](const HttpAsked& asked) {
            return asked.target.find("/blobs/") == std::string::npos ? honest(asked) : HttpReply{200, bytes};
        });
    };
    auto changed = layer;
    changed[100] ^= 1;
    EXPECT_THAT(with(changed), HasSubstr("do not have the digest of its manifest"));
    EXPECT_THAT(with(layer.substr(1)), HasSubstr("its manifest states"));
    EXPECT_THAT(with(layer + "x"), HasSubstr("more than"));
}

TEST_F(HostileRegistry, DoesNotHaveALayer) {
    EXPECT_THAT(denied([this](const HttpAsked& asked) {
                    return asked.target.find("/blobs/") == std::string::npos ? honest(asked) : HttpReply{404};
                }),
                HasSubstr("does not have the layer"));
}

TEST_F(HostileRegistry, SendsTricks) {
    set_layer("../../model.safetensors");
    const auto handler = [this](const HttpAsked& asked) { return honest(asked); };
    EXPECT_THAT(denied(handler), HasSubstr("leads out of"));
    EXPECT_FALSE(std::filesystem::exists(scratch.path().parent_path() / "model.safetensors"));
    layer = test::gzipped(test::tar_member("bomb", std::string(100 << 20, '\0')) + test::tar_end());
    set_layer("", "application/vnd.kitops.modelkit.model.v1.tar+gzip");
    EXPECT_THAT(denied(handler), HasSubstr("more than 200 times as large"));
    limits.bytes = 1000;
    EXPECT_THAT(denied(handler), HasSubstr("the limit is 1,000"));
}

TEST_F(HostileRegistry, ThatIsDownIsAskedAgainLater) {
    for (const unsigned status : {401u, 403u, 429u, 500u, 503u}) {
        const auto inspection = inspected([status](const HttpAsked&) { return HttpReply{status}; });
        ASSERT_FALSE(inspection.ok()) << status;
        EXPECT_EQ(inspection.error().kind, ErrorKind::unreadable);
    }
    const auto still = inspected([this](const HttpAsked& asked) {
        auto reply = honest(asked);
        if (asked.target.find("/blobs/") != std::string::npos) reply.delay = std::chrono::minutes(10);
        return reply;
    });
    ASSERT_FALSE(still.ok());
    EXPECT_EQ(still.error().kind, ErrorKind::unreadable);
    EXPECT_TRUE(std::filesystem::is_empty(scratch / "files"));
    for (attempts = 0; attempts < 3; ++attempts) {
        const auto missing = inspected([](const HttpAsked&) { return HttpReply{404}; });
        ASSERT_FALSE(missing.ok()) << attempts;
        EXPECT_EQ(missing.error().kind, ErrorKind::unreadable);
    }
    const auto gone = inspected([](const HttpAsked&) { return HttpReply{404}; });
    EXPECT_EQ(gone.value().decision.subject, Decision::Subject::gone);
}

TEST_F(HostileRegistry, GetsItsTokenAloneAndStorageDoesNot) {
    HttpServer storage([this](const HttpAsked&) { return HttpReply{200, layer}; });
    std::string realm;
    const auto inspection = inspected([&](const HttpAsked& asked) -> HttpReply {
        if (asked.target.starts_with("/token")) return {200, R"({"token": "t0ken", "expires_in": 300})"};
        if (asked.field("authorization") != "Bearer t0ken") {
            return {401,
                    "",
                    {{"WWW-Authenticate", "Bearer realm=\"" + server->url("/token") +
                                              "\",service=\"s\",scope=\"repository:acme/net:pull\""}}};
        }
        if (asked.target.find("/blobs/") == std::string::npos) return honest(asked);
        return {307, "", {{"Location", storage.url("/bucket?X-Signature=1")}}};
    });
    ASSERT_TRUE(inspection.ok()) << inspection.error().message;
    EXPECT_EQ(inspection->decision.outcome, Ruling::Outcome::allow) << inspection->decision.reason;
    ASSERT_EQ(storage.asked().size(), 1u);
    EXPECT_EQ(storage.asked()[0].field("authorization"), "");
    unsigned asked_for_tokens = 0;
    for (const auto& asked : server->asked()) {
        if (!asked.target.starts_with("/token")) continue;
        ++asked_for_tokens;
        EXPECT_EQ(asked.target, "/token?service=s&scope=repository%3Aacme%2Fnet%3Apull");
        EXPECT_EQ(asked.field("authorization"), "");
    }
    EXPECT_EQ(asked_for_tokens, 1u);
}

TEST_F(HostileRegistry, CannotSendALoginToAnUnencryptedTokenServer) {
    const auto inspection = inspected([&](const HttpAsked&) -> HttpReply {
        return {401, "", {{"WWW-Authenticate", "Bearer realm=\"http://192.0.2.1/token\""}}};
    });
    ASSERT_FALSE(inspection.ok());
    EXPECT_THAT(inspection.error().message, HasSubstr("token server that is not asked"));
}

class Senders : public HostileRegistry {
  protected:
    void start(std::uint64_t limit) {
        server = std::make_unique<HttpServer>([](const HttpAsked&) { return HttpReply{503}; });
        ServiceOptions options;
        options.secret = "0123456789abcdef";
        options.registry = http::Url::parse(server->url("")).value();
        options.client = client;
        options.policy = scratch / "policy.toml";
        options.queue = scratch / "queue.db";
        options.audit = scratch / "audit.jsonl";
        options.queue_limit = limit;
        options.log = [this](const std::string& line) { logged += line + "\n"; };
        service = Service::start(std::move(options)).value();
        base = "http://127.0.0.1:" + std::to_string(service->port());
    }
    http::Response ask(http::Method method, const std::string& path, const std::string& body = {},
                       const std::string& authorization = "Bearer 0123456789abcdef") {
        auto sender = http::Client::open({.retries = 0}).value();
        return sender
            .send({.method = method,
                   .url = http::Url::parse(base + path).value(),
                   .authorization = authorization,
                   .body = body})
            .value();
    }
    static std::string push_event(unsigned number) {
        return json{{"events",
                     {{{"id", "e" + std::to_string(number)},
                       {"action", "push"},
                       {"target",
                        {{"repository", "acme/net"},
                         {"mediaType", kOciManifest},
                         {"digest", digest_in(std::to_string(number))}}}}}}}
            .dump();
    }
    std::string base, logged;
    std::unique_ptr<Service> service;
};

TEST_F(Senders, AreAnsweredByWhatTheySend) {
    start(2);
    using enum http::Method;
    EXPECT_EQ(ask(post, "/notifications", push_event(1), "").status, 401u);
    EXPECT_EQ(ask(post, "/notifications", push_event(1), "Bearer 0123456789abcdeF").status, 401u);
    EXPECT_EQ(ask(post, "/notifications", push_event(1), "Bearer 0123456789abcdef0").status, 401u);
    EXPECT_THAT(logged, HasSubstr("without the secret of senders"));
    EXPECT_EQ(ask(post, "/notifications", "{\"events\": 5}").status, 400u);
    EXPECT_THAT(logged, HasSubstr("a notification was refused: "));
    EXPECT_EQ(ask(post, "/notifications", std::string(5 << 20, ' ')).status, 413u);
    EXPECT_EQ(ask(get, "/notifications").status, 405u);
    EXPECT_EQ(ask(get, "/elsewhere").status, 404u);
    EXPECT_EQ(ask(get, "/healthz").body, "ok\n");
    EXPECT_EQ(ask(post, "/notifications", push_event(1)).status, 200u);
    EXPECT_EQ(ask(post, "/notifications", push_event(2), "0123456789abcdef").status, 200u);
    const auto full = ask(post, "/notifications", push_event(3));
    EXPECT_EQ(full.status, 503u);
    EXPECT_EQ(full.field("retry-after"), "5");
    const auto metrics = ask(get, "/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("\nmodelseal_hook_queue_jobs 2\n"));
    EXPECT_THAT(metrics, HasSubstr("modelseal_hook_notifications_total{result=\"unauthorized\"} 3\n"));
    EXPECT_THAT(metrics, HasSubstr("modelseal_hook_notifications_total{result=\"full\"} 1\n"));
    service->stop();
}

// Whoever does not know the secret could otherwise make the hook hold as many bodies as there are connections.
TEST_F(Senders, WithoutTheSecretAreAnsweredBeforeTheyHaveSentABody) {
    start(2);
    namespace asio = boost::asio;
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    socket.connect({asio::ip::make_address("127.0.0.1"), service->port()});
    asio::write(socket, asio::buffer(std::string(
                            "POST /notifications HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer wrong\r\n"
                            "Content-Length: 1000000\r\n\r\n")));
    std::string answer(12, ' ');
    asio::read(socket, asio::buffer(answer));
    EXPECT_EQ(answer, "HTTP/1.1 401");
}

TEST_F(Senders, OfTooLargeHeadsAreAnswered) {
    start(2);
    EXPECT_EQ(ask(http::Method::get, "/healthz", {}, "Bearer " + std::string(20'000, 'x')).status, 413u);
    EXPECT_EQ(ask(http::Method::get, "/healthz").status, 200u);
}

TEST(SenderSecret, IsReadFromAFile) {
    const test::Scratch folder;
    EXPECT_EQ(read_secret(folder.write("s", "0123456789abcdef\n")).value(), "0123456789abcdef");
    EXPECT_FALSE(read_secret(folder.write("s", "short\n")).ok());
    EXPECT_FALSE(read_secret(folder.write("s", "")).ok());
    EXPECT_FALSE(read_secret(folder.write("s", "0123456789 abcdef")).ok());
}

}  // namespace
}  // namespace modelseal::hook

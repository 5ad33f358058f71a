#include "cli/options/endpoint_options.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace modelseal::cli {
namespace {

using testing::HasSubstr;

class EndpointToken : public testing::Test {
  protected:
    ~EndpointToken() override { ::unsetenv("MODELSEAL_TOKEN"); }
    Result<EndpointOptions> options(const std::string& file_content = "") const {
        EndpointFlags flags;
        if (!file_content.empty()) flags.token_file = folder_.write("token", file_content);
        return endpoint_options(flags, {"https://host/v2/models/net"}, terminal_);
    }
    const test::Scratch folder_;
    mutable Terminal terminal_;
};

TEST_F(EndpointToken, IsTheFirstLineOfTheFileOrTheEnvironmentVariable) {
    EXPECT_EQ(options()->token, "");
    ::setenv("MODELSEAL_TOKEN", "fromenvironment", 1);
    EXPECT_EQ(options()->token, "fromenvironment");
    EXPECT_EQ(options("from.file~1/+=\n")->token, "from.file~1/+=");
    ::setenv("MODELSEAL_TOKEN", "", 1);
    EXPECT_EQ(options()->token, "");
}

TEST_F(EndpointToken, CannotEndTheHeaderLine) {
    for (const char* text : {"\n", "a\nX-Other: b", "a\r\nb", "a b", "a\tb", "caf\xc3\xa9", "a\x7f"}) {
        const auto refused = options(text);
        ASSERT_FALSE(refused.ok()) << text;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().message, HasSubstr("not a bearer token"));
    }
    ::setenv("MODELSEAL_TOKEN", "a\nb", 1);
    EXPECT_THAT(options().error().message, HasSubstr("MODELSEAL_TOKEN"));
}

TEST_F(EndpointToken, IsSentToOneServerOnly) {
    ::setenv("MODELSEAL_TOKEN", "abc", 1);
    const std::vector<std::string> one = {"https://a/v2/models/net", "net.onnx",
                                          "HTTPS://A:443/v1/models/other", "exec:program"};
    EXPECT_TRUE(endpoint_options({}, one, terminal_).ok());
    for (const char* other :
         {"https://b/v2/models/net", "https://a:8443/v2/models/net", "http://a/v2/models/net"}) {
        const auto refused = endpoint_options({}, {one[0], other}, terminal_);
        ASSERT_FALSE(refused.ok()) << other;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().message, HasSubstr("not sent to two servers, https://a and "));
    }
    ::setenv("MODELSEAL_TOKEN", "", 1);
    EXPECT_TRUE(endpoint_options({}, {one[0], "https://b/v2/models/net"}, terminal_).ok())
        << "no token, nothing to lose";
}

TEST_F(EndpointToken, FlagsComeThrough) {
    const EndpointFlags flags{.token_file = {},
                              .header_file = {},
                              .ca = "ca.pem",
                              .client_cert = {},
                              .client_key = {},
                              .tensors = "binary",
                              .output = "logits",
                              .timeout = 7,
                              .max_seconds = 70,
                              .retries = 0,
                              .batch = 9};
    const auto options = endpoint_options(flags, {}, terminal_);
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(options->ca_file, "ca.pem");
    EXPECT_EQ(options->tensors, EndpointOptions::Tensors::binary);
    EXPECT_EQ(options->output, "logits");
    EXPECT_EQ(options->timeout_s, 7u);
    EXPECT_EQ(options->max_seconds, 70u);
    EXPECT_EQ(options->retries, 0u);
    EXPECT_EQ(options->batch, 9u);
}

class EndpointHeaders : public EndpointToken {
  protected:
    Result<EndpointOptions> with(const std::string& file,
                                 const std::vector<std::string>& targets = {"https://a/v2/models/net"}) const {
        EndpointFlags flags;
        flags.header_file = file;
        return endpoint_options(flags, targets, terminal_);
    }
};

TEST_F(EndpointHeaders, AreThoseOfTheFile) {
    const auto options = with(folder_.write("headers", "X-API-Key: seven\nHost: net.models.example\n"));
    ASSERT_TRUE(options.ok()) << options.error().message;
    ASSERT_EQ(options->headers.size(), 2u);
    EXPECT_EQ(options->headers[0].second, "seven");
}

TEST_F(EndpointHeaders, AreNotTakenFromTheCommandLine) {
    const auto refused = with("X-API-Key: seven");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_THAT(refused.error().message + refused.error().hint, testing::Not(HasSubstr("seven")));
    EXPECT_THAT(refused.error().hint, HasSubstr("write the header fields to a file"));
}

TEST_F(EndpointHeaders, AreSentToOneServerOnly) {
    const auto file = folder_.write("headers", "X-API-Key: seven\n");
    const auto refused = with(file, {"https://a/v2/models/net", "https://b/v2/models/net"});
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("the same header fields are not sent to two servers"));
}

TEST_F(EndpointHeaders, KeyOfTheClientMustBeThere) {
    EndpointFlags flags;
    flags.client_cert = folder_.write("me.pem", "-----BEGIN CERTIFICATE-----\n");
    const auto missing = endpoint_options(flags, {}, terminal_);
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().message, HasSubstr("contains no private key"));
    flags.client_key = folder_.write("me.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    ::setenv("MODELSEAL_PASSPHRASE", "open", 1);
    EXPECT_EQ(endpoint_options(flags, {}, terminal_)->client_key_passphrase, "open");
    ::setenv("MODELSEAL_PASSPHRASE", "", 1);
}

}  // namespace
}  // namespace modelseal::cli

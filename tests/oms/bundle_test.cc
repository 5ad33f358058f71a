// The bundle reader takes what the specification and the releases of the reference wrote, and one spelling of
// it.
#include "oms/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oms/statement.h"
#include "tests/oms/data.h"

namespace modelseal::oms {
namespace {

using test::content_of;
using testing::HasSubstr;

TEST(Bundle, OfTheSpecificationIsReadWhereItIsValid) {
    MODELSEAL_NEED_DATA();
    const std::map<std::string, Bundle::Method> wanted = {{"key", Bundle::Method::key},
                                                          {"certificate", Bundle::Method::certificate},
                                                          {"sigstore", Bundle::Method::sigstore}};
    for (const auto& [name, method] : wanted) {
        const auto path = test::oms_folder() / "spec/v1.0/valid" / (name + ".bundle.json");
        const auto bundle = parse_bundle(content_of(path), name);
        ASSERT_TRUE(bundle.ok()) << bundle.error().message;
        EXPECT_EQ(bundle->method, method);
        const auto statement = parse_statement(bundle->payload, name);
        ASSERT_TRUE(statement.ok()) << statement.error().message;
        EXPECT_EQ(statement->resources.size(), 2u);
    }
}

TEST(Bundle, OfTheSpecificationIsRefusedWhereItIsNot) {
    MODELSEAL_NEED_DATA();
    const std::map<std::string, std::string> wanted = {
        {"empty", "the file is empty; a signature is needed"},
        {"missing-envelope", "'dsseEnvelope' is missing"},
        {"missing-tlog-entries", "'tlogEntries' is missing"},
        {"missing-verification-material", "'verificationMaterial' is missing"}};
    for (const auto& [name, message] : wanted) {
        const auto path = test::oms_folder() / "spec/v1.0/invalid" / (name + ".bundle.json");
        ASSERT_TRUE(std::filesystem::exists(path)) << path;
        const auto bundle = parse_bundle(content_of(path), name);
        ASSERT_FALSE(bundle.ok()) << name;
        EXPECT_EQ(bundle.error().kind, ErrorKind::malformed);
        EXPECT_THAT(bundle.error().message, HasSubstr(message));
    }
    const auto wrong = test::oms_folder() / "spec/v1.0/invalid-payload/wrong-predicate.bundle.json";
    const auto bundle = parse_bundle(content_of(wrong), "wrong");
    ASSERT_TRUE(bundle.ok()) << bundle.error().message;
    const auto statement = parse_statement(bundle->payload, "wrong");
    ASSERT_FALSE(statement.ok());
    EXPECT_EQ(statement.error().kind, ErrorKind::unsupported);
}

TEST(Bundle, OfEveryReleaseIsRead) {
    MODELSEAL_NEED_DATA();
    std::size_t seen = 0;
    for (const auto& folder : std::filesystem::directory_iterator(test::historical(""))) {
        const auto name = folder.path().filename().string();
        const auto bundle = parse_bundle(content_of(folder.path() / "model.sig"), name);
        ASSERT_TRUE(bundle.ok()) << bundle.error().message;
        const auto statement = parse_statement(bundle->payload, name);
        ASSERT_TRUE(statement.ok()) << statement.error().message;
        EXPECT_EQ(statement->release_0_2_0, name.starts_with("v0.2.0"));
        EXPECT_EQ(bundle->log.size(), name.ends_with("sigstore") ? 1u : 0u);
        ++seen;
    }
    EXPECT_EQ(seen, 13u);
}

TEST(Bundle, RoundTrips) {
    Bundle bundle{.hint = "ab", .payload = test::bytes_of("{}"), .signature = test::bytes_of("sig")};
    const auto text = write_bundle(bundle);
    EXPECT_EQ(
        text,
        R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":)"
        R"({"hint":"ab"},"tlogEntries":[]},"dsseEnvelope":{"payload":"e30=","payloadType":)"
        R"("application/vnd.in-toto+json","signatures":[{"sig":"c2ln","keyid":""}]}})");
    const auto again = parse_bundle(text, "again");
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->hint, "ab");
    bundle.method = Bundle::Method::certificate;
    bundle.certificates = {test::bytes_of("leaf"), test::bytes_of("root")};
    bundle.timestamps = {test::bytes_of("time")};
    const auto chain = parse_bundle(write_bundle(bundle), "chain");
    ASSERT_TRUE(chain.ok()) << chain.error().message;
    EXPECT_EQ(chain->certificates, bundle.certificates);
    EXPECT_EQ(chain->timestamps, bundle.timestamps);
    EXPECT_EQ(chain->payload, bundle.payload);
    EXPECT_EQ(chain->signature, bundle.signature);
}

TEST(PreAuthenticationEncoding, MatchesTheDsseProtocol) {
    EXPECT_EQ(test::text_of(pre_authentication_encoding(test::bytes_of("{\"a\"}"))),
              "DSSEv1 28 application/vnd.in-toto+json 5 {\"a\"}");
    EXPECT_EQ(test::text_of(encoding_of_0_2_0(test::bytes_of("{\n\"\\\xC3\xA9'}"))),
              "DSSEV1 28 application/vnd.in-toto+json 8 b'{\\n\"\\\\\\xc3\\xa9\\'}'");
}

}  // namespace
}  // namespace modelseal::oms

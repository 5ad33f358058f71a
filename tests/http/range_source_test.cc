// A file on a server, read in parts: what is fetched, and what a server that ignores ranges, lies or changes the file comes to.
#include "http/range_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/services/range_server.h"

namespace modelseal {
namespace {

using testing::HasSubstr;

std::string numbered(std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; out.size() < bytes; ++i) out += fmt::format("{:07}\n", i);
    out.resize(bytes);
    return out;
}

class RangedFile : public testing::Test {
  protected:
    using Handler = test::HttpServer::Handler;

    Result<std::unique_ptr<http::RangeSource>> open(const http::RangeCaps& caps = {}) {
        auto client = http::Client::open({.stall = std::chrono::seconds(5), .retries = 0}).value();
        return http::RangeSource::open(
            std::move(client), {.url = http::Url::parse(server.url("/f/net.bin?token=secret")).value()}, caps);
    }
    Error refused() {
        const auto opened = open();
        EXPECT_FALSE(opened.ok());
        return opened.ok() ? Error() : opened.error();
    }
    static std::string text(const http::RangeSource& source, std::uint64_t offset, std::size_t count) {
        std::string out(count, '\0');
        const auto done = source.read(offset, std::as_writable_bytes(std::span(out)));
        return done.ok() ? out : done.error().message;
    }

    std::string file = numbered(1'000'003);
    Handler answer = [this](const test::HttpAsked& asked) { return test::part_of(file, asked); };
    test::HttpServer server{[this](const test::HttpAsked& asked) { return answer(asked); }};
};

TEST_F(RangedFile, GivesTheBytesThatAreThere) {
    const auto source = open().value();
    EXPECT_EQ(source->size(), file.size());
    EXPECT_EQ(source->name(), server.url("/f/net.bin")) << "without what may be a secret";
    for (const auto& [offset, count] : std::vector<std::pair<std::size_t, std::size_t>>{
             {0, 8}, {65'530, 20}, {131'072, 65'536}, {999'000, 1'003}, {1'000'002, 1}, {3, 999'999}, {5, 0}}) {
        EXPECT_EQ(text(*source, offset, count), file.substr(offset, count)) << offset;
    }
    std::string out(2, '\0');
    EXPECT_FALSE(source->read(1'000'002, std::as_writable_bytes(std::span(out))).ok());
}

TEST_F(RangedFile, FetchesWhatIsReadAndThatOnce) {
    const auto source = open().value();
    EXPECT_EQ(source->fetched(), 65'536u);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(text(*source, 500'000, 1'000), file.substr(500'000, 1'000));
    EXPECT_EQ(source->fetched(), 2 * 65'536u);
    EXPECT_EQ(server.asked().size(), 2u);
    EXPECT_EQ(server.asked()[1].field("range"), "bytes=458752-524287");
}

TEST_F(RangedFile, KeepsABoundedPartOfALargeFile) {
    file = numbered(2u << 20);
    const auto source = open({.kept = 4 * 65'536}).value();
    EXPECT_EQ(text(*source, 1, 1u << 20), file.substr(1, 1u << 20)) << "more than is kept";
    const auto fetched = source->fetched();
    EXPECT_EQ(text(*source, 0, 8), file.substr(0, 8));
    EXPECT_EQ(source->fetched(), fetched + 65'536) << "it was not kept";
}

TEST_F(RangedFile, ThatIsSmallNeedsNoRanges) {
    file = numbered(4'000);
    answer = [this](const test::HttpAsked&) { return test::HttpReply{.body = file}; };
    EXPECT_EQ(text(*open().value(), 1'000, 3'000), file.substr(1'000));
}

TEST_F(RangedFile, OfAServerThatIgnoresRangesIsAClearError) {
    answer = [this](const test::HttpAsked&) { return test::HttpReply{.body = file}; };
    const auto error = refused();
    EXPECT_EQ(error.kind, ErrorKind::unsupported);
    EXPECT_THAT(error.message, HasSubstr("the server ignores ranges"));
    EXPECT_EQ(error.hint, "download the file");
}

TEST_F(RangedFile, ThatIsNotThereIsAnError) {
    answer = [](const test::HttpAsked&) { return test::HttpReply{.status = 404, .body = "no such file"}; };
    EXPECT_EQ(refused().kind, ErrorKind::unreadable);
    EXPECT_THAT(refused().message, HasSubstr("the server answers with status 404"));
    answer = [](const test::HttpAsked&) { return test::HttpReply{.status = 416}; };
    EXPECT_THAT(refused().message, HasSubstr("is empty"));
}

TEST_F(RangedFile, OfAServerThatLiesIsRefused) {
    const std::string part(65'536, 'x');
    const auto lies = [&](const std::string& range, std::size_t bytes) {
        answer = [=](const test::HttpAsked&) {
            return test::HttpReply{
                .status = 206, .body = part.substr(0, bytes), .fields = {{"Content-Range", range}}};
        };
        return refused().message;
    };
    for (const char* range :
         {"", "bytes 0-65535/*", "bytes */100000", "bytes 0-65535", "octets 0-65535/100000",
          "bytes 65535-0/100000", "bytes 0-65535/65535", "bytes 0-65535/100000x",
          "bytes 0-65535/99999999999999999999", "bytes 0-65535/9223372036854775807", "bytes -5-9/10"})
        EXPECT_THAT(lies(range, 65'536), HasSubstr("sends a part and not which")) << range;
    EXPECT_THAT(lies("bytes 1-65536/100000", 65'536), HasSubstr("another part"));
    EXPECT_THAT(lies("bytes 0-65536/100000", 65'536), HasSubstr("another part"));
    EXPECT_THAT(lies("bytes 0-100/100000", 101), HasSubstr("another part"));
    EXPECT_THAT(lies("bytes 0-65535/100000", 65'535), HasSubstr("more or less of a part"));
    answer = [=](const test::HttpAsked&) {
        return test::HttpReply{
            .status = 206, .body = part + "more", .fields = {{"Content-Range", "bytes 0-65535/100000"}}};
    };
    EXPECT_THAT(refused().message, HasSubstr("more or less of a part"));
}

TEST_F(RangedFile, ThatIsPackedOnTheWayIsRefused) {
    answer = [this](const test::HttpAsked& asked) {
        auto reply = test::part_of(file, asked);
        reply.fields.emplace_back("Content-Encoding", "gzip");
        return reply;
    };
    EXPECT_THAT(refused().message, HasSubstr("packs the file"));
}

TEST_F(RangedFile, ThatIsReplacedMeanwhileIsAnError) {
    const auto source = open().value();
    auto tag = std::string("\"two\"");
    answer = [&](const test::HttpAsked& asked) {
        auto reply = test::part_of(file, asked);
        reply.fields.back().second = tag;
        return reply;
    };
    EXPECT_THAT(text(*source, 500'000, 8), HasSubstr("changed while it was read"));
    tag = "\"one\"";
    file += "longer";
    EXPECT_THAT(text(*source, 500'000, 8), HasSubstr("changed while it was read"));
    EXPECT_EQ(text(*source, 8, 8), "0000001\n") << "what is here";
}

TEST_F(RangedFile, IsFetchedUpToTheCaps) {
    const auto few = open({.requests = 3}).value();
    EXPECT_EQ(text(*few, 200'000, 8), file.substr(200'000, 8));
    EXPECT_EQ(text(*few, 400'000, 8), file.substr(400'000, 8));
    EXPECT_THAT(text(*few, 600'000, 8), HasSubstr("more than 3 parts"));
    const auto small = open({.bytes = 200'000}).value();
    EXPECT_THAT(text(*small, 100'000, 300'000), HasSubstr("200,000 bytes of it would have to be fetched"));
}

}  // namespace
}  // namespace modelseal

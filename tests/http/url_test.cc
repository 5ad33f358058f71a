#include "http/url.h"

#include <gtest/gtest.h>

namespace modelseal::http {
namespace {

TEST(HttpUrls, AreReadOneWay) {
    const auto url = Url::parse("HTTPS://Registry.Example:443/a%20b/../c?q=1#part").value();
    EXPECT_EQ(url.text(), "https://registry.example/c?q=1");
    EXPECT_EQ(url.origin(), "https://registry.example");
    EXPECT_EQ(url.below("/v2/"), "https://registry.example/c/v2/");
    EXPECT_EQ(url.with_query("scope", "a b&c").text(), "https://registry.example/c?q=1&scope=a%20b%26c");
    EXPECT_EQ(url.resolve("/x").value().text(), "https://registry.example/x");
    EXPECT_EQ(url.resolve("http://other/").value().origin(), "http://other");
    for (const char* text :
         {"", "registry.example", "ftp://x/", "https://", "https://u:p@x/", "http://x y/", "http://x\\y/",
          "http://x:99999/", "http://x/\n", "http:/x", "http:///x", "http://x:0/", "http://[::1/",
          "http://[fe80]/", "http://x:80x/", "http://a%2565/"})
        EXPECT_FALSE(Url::parse(text).ok()) << text;
    EXPECT_EQ(Url::parse("http://x%2Eexample/%41").value().text(), "http://x.example/%41");
    EXPECT_TRUE(Url::parse("http://127.9.9.9/").value().is_loopback());
    EXPECT_TRUE(Url::parse("http://[::1]:5000/").value().is_loopback());
    EXPECT_FALSE(Url::parse("http://127.0.0.1.example/").value().is_loopback());
    EXPECT_FALSE(Url::parse("http://localhost.example/").value().is_loopback());
}

}  // namespace
}  // namespace modelseal::http

// libcurl, loaded when the first address is parsed. It brings 27 other libraries along, and to load them takes longer than
// all the rest of a command that asks nobody.
//
// Thread safety: any number of threads at once.
#pragma once

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <modelseal/result.h>

namespace modelseal::http {

// The functions that are used here, by their names without "curl_".
struct Libcurl {
    decltype(&::curl_free) free;
    decltype(&::curl_easy_init) easy_init;
    decltype(&::curl_easy_cleanup) easy_cleanup;
    decltype(&::curl_easy_reset) easy_reset;
    decltype(&::curl_easy_setopt) easy_setopt;
    decltype(&::curl_easy_getinfo) easy_getinfo;
    decltype(&::curl_easy_perform) easy_perform;
    decltype(&::curl_easy_strerror) easy_strerror;
    decltype(&::curl_slist_append) slist_append;
    decltype(&::curl_slist_free_all) slist_free_all;
    decltype(&::curl_url) url;
    decltype(&::curl_url_cleanup) url_cleanup;
    decltype(&::curl_url_set) url_set;
    decltype(&::curl_url_get) url_get;
    decltype(&::curl_url_strerror) url_strerror;
    // Of the libssl by which it has its connections; null if it has another library for that.
    decltype(&::SSL_get1_peer_certificate) peer_certificate;
};

// Error `unsupported` where it is not installed, or is older than what was built against.
Result<void> load_libcurl();

// Precondition: load_libcurl() was successful.
const Libcurl& libcurl();

}  // namespace modelseal::http

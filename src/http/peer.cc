#include "http/peer.h"

#include <memory>

#include <openssl/x509v3.h>

namespace modelseal::http {

bool is_loopback_address(std::string_view address) {
    return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

bool certificate_names(CURL* curl, const Url& url) {
    curl_tlssessioninfo* session = nullptr;
    if (libcurl().easy_getinfo(curl, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == nullptr)
        return false;
    if (session->backend != CURLSSLBACKEND_OPENSSL) return true;
    if (session->internals == nullptr || libcurl().peer_certificate == nullptr) return false;
    using Certificate = std::unique_ptr<X509, decltype([](X509* x509) { ::X509_free(x509); })>;
    const Certificate certificate(libcurl().peer_certificate(static_cast<const SSL*>(session->internals)));
    if (!certificate) return false;
    auto host = url.host();
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    if (::X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1) return true;
    constexpr unsigned kFlags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    return ::X509_check_host(certificate.get(), host.data(), host.size(), kFlags, nullptr) == 1;
}

}  // namespace modelseal::http

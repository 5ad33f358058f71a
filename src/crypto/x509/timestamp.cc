
#include "crypto/x509/timestamp.h"

#include <array>

#include <openssl/objects.h>
#include <openssl/ts.h>

#include "crypto/x509/certificate_handle.h"

namespace modelseal::crypto {
namespace {

using Response = std::unique_ptr<TS_RESP, openssl::Deleter<TS_RESP_free>>;
using Context = std::unique_ptr<TS_VERIFY_CTX, openssl::Deleter<TS_VERIFY_CTX_free>>;

Error refused_timestamp(const std::string& shown, const std::string& why) {
    return {ErrorKind::mismatch, shown + ": its timestamp is not valid: " + why, {}};
}

// Null unless all bytes are one response.
Response parse(std::span<const std::byte> response) {
    const auto* begin = reinterpret_cast<const unsigned char*>(response.data());
    const auto* at = begin;
    Response parsed(d2i_TS_RESP(nullptr, &at, static_cast<long>(response.size())));
    openssl::take_notes();
    return at == begin + response.size() ? std::move(parsed) : nullptr;
}

bool strong(const TS_TST_INFO* info) {
    constexpr std::array kStrong = {NID_sha256, NID_sha384, NID_sha512};
    auto* imprint = TS_TST_INFO_get_msg_imprint(const_cast<TS_TST_INFO*>(info));
    const int kind = OBJ_obj2nid(TS_MSG_IMPRINT_get_algo(imprint)->algorithm);
    for (const int each : kStrong) {
        if (each == kind) return true;
    }
    return false;
}

bool time_of(const TS_TST_INFO* info, std::int64_t& seconds) {
    tm parts{};
    const auto* time = TS_TST_INFO_get_time(info);
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return false;
    seconds = ::timegm(&parts);
    return seconds >= 0;
}

}  // namespace

Result<std::int64_t> verify_timestamp(std::span<const std::byte> response, std::span<const std::byte> message,
                                      const std::vector<Certificate>& authorities, const std::string& shown) {
    const auto parsed = parse(response);
    if (!parsed) return refused_timestamp(shown, "it is malformed");
    const TS_TST_INFO* info = TS_RESP_get_tst_info(parsed.get());
    std::int64_t seconds = 0;
    if (info == nullptr || !time_of(info, seconds)) return refused_timestamp(shown, "it contains no time");
    if (!strong(info)) return refused_timestamp(shown, "its digest is too weak");

    const Context context(TS_VERIFY_CTX_new());
    if (!context) throw std::bad_alloc();
    TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_DATA);
    // The context owns what is set here.
    TS_VERIFY_CTX_set_data(context.get(), BIO_new_mem_buf(message.data(), static_cast<int>(message.size())));
    TS_VERIFY_CTX_set_store(context.get(), store_of(authorities, seconds, Purpose::timestamps).release());
    STACK_OF(X509)* untrusted = sk_X509_new_null();
    for (const auto& each : authorities) {
        auto* x509 = each.handle().x509.get();
        if (X509_up_ref(x509) == 1 && sk_X509_push(untrusted, x509) == 0) X509_free(x509);
    }
    TS_VERIFY_CTX_set_certs(context.get(), untrusted);
    if (TS_RESP_verify_response(context.get(), parsed.get()) != 1)
        return refused_timestamp(shown, openssl::last_error());
    return seconds;
}

std::optional<std::int64_t> claimed_time(std::span<const std::byte> response) {
    const auto parsed = parse(response);
    const TS_TST_INFO* info = parsed ? TS_RESP_get_tst_info(parsed.get()) : nullptr;
    std::int64_t seconds = 0;
    return info != nullptr && time_of(info, seconds) ? std::optional(seconds) : std::nullopt;
}

}  // namespace modelseal::crypto

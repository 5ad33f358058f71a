// A file on a web server, for jobs that read a small part of it.
#pragma once

#include <memory>
#include <string>

#include <modelseal/fingerprint.h>
#include <modelseal/format.h>

namespace modelseal::jobs {

// http://... or https://... Redirects are followed to any server, which gets nothing that proves who is asking. Errors: of
// http::RangeSource, and `usage` for an address that is none, or that may not be sent what `options` hold.
Result<std::unique_ptr<Source>> open_web_file(const std::string& url, const EndpointOptions& options);

}  // namespace modelseal::jobs

// Kinds of endpoints that connect() knows. Each checks, if the other side tells, that `expected` is what it
// takes.
#pragma once

#include <memory>
#include <string>

#include "oracle/http.h"
#include "oracle/oracle.h"
#include <modelseal/fingerprint.h>

namespace modelseal::oracle {

// "/v2/models/NAME[/versions/V]" at the end of the path.
Result<std::unique_ptr<Oracle>> connect_oip(std::unique_ptr<HttpClient> client, const EndpointOptions& options,
                                            const InputShape& expected);

// "/v1/models/NAME[/versions/V]" at the end of the path.
Result<std::unique_ptr<Oracle>> connect_tf_serving(std::unique_ptr<HttpClient> client,
                                                   const EndpointOptions& options, const InputShape& expected);

// "exec:COMMAND" or "exec+binary:COMMAND".
Result<std::unique_ptr<Oracle>> connect_program(const std::string& target, const EndpointOptions& options,
                                                const InputShape& expected);

// The error of a response that is none of 2xx: "SOURCE: answers 404: 'no such model'".
Error refusal(const HttpResponse& response, const std::string& source);

// Whether the response may mean that the batch was too large.
bool may_be_too_large(unsigned status);

// A GET for a JSON document; error for other statuses than 200.
Result<std::string> get_document(HttpClient& client, const std::string& path, const std::string& source);

}  // namespace modelseal::oracle

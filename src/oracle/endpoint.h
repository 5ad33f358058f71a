// Kinds of endpoints that connect() knows. Each compares the metadata of the other side, if there are any,
// with `expected`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oracle/http/http.h"
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

// The error of a response that is not 2xx: "SOURCE: answers 404: 'no such model'".
Error refusal(const HttpResponse& response, const std::string& source);

// True if the response may mean that the batch was too large.
bool may_be_too_large(unsigned status);

// GET of a JSON document; an error for any status but 200.
Result<std::string> get_document(HttpClient& client, const std::string& path, const std::string& source);

// From a target on the command line to an oracle.
//
// http(s)://HOST[:PORT]/v2/models/NAME[/versions/V]: Open Inference Protocol v2 (KServe, Triton, MLServer,
//     OpenVINO); http(s)://HOST[:PORT]/v1/models/NAME[/versions/V]: TensorFlow Serving REST. A gateway may have
//     put a path before that.
// exec:COMMAND, exec+binary:COMMAND: a program that answers on its standard output, modelseal-exec(7).

bool is_endpoint(std::string_view target);  // a URL, exec: or exec+binary:, not a file

// `expected`: the inputs of later queries. Error `mismatch` if the other side's metadata names another shape.
Result<std::unique_ptr<Oracle>> connect(const std::string& target, const EndpointOptions& options,
                                        const InputShape& expected);

}  // namespace modelseal::oracle

// Kinds of endpoints that connect() knows. Each compares the metadata of the other side, if there are any,
// with `expected`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/client.h"
#include "oracle/model_server.h"
#include "oracle/oracle.h"
#include <modelseal/fingerprint.h>

namespace modelseal::oracle {

// "/v2/models/NAME[/versions/V]" at the end of the path.
Result<std::unique_ptr<Oracle>> connect_oip(std::unique_ptr<ModelServer> server, const EndpointOptions& options,
                                            const InputShape& expected);

// "/v1/models/NAME[/versions/V]" at the end of the path.
Result<std::unique_ptr<Oracle>> connect_tf_serving(std::unique_ptr<ModelServer> server,
                                                   const EndpointOptions& options, const InputShape& expected);

// "exec:COMMAND" or "exec+binary:COMMAND".
Result<std::unique_ptr<Oracle>> connect_program(const std::string& target, const EndpointOptions& options,
                                                const InputShape& expected);

// The error of a response that is not 2xx: "SOURCE: answers 404: 'no such model'".
Error refusal(const http::Response& response, const std::string& source);

// True if the response may mean that the batch was too large.
bool may_be_too_large(unsigned status);

// GET of a JSON document; an error for any status but 200.
Result<std::string> get_document(ModelServer& server, const std::string& path);

// From a target on the command line to an oracle.
//
// http(s)://HOST[:PORT]/v2/models/NAME[/versions/V]: Open Inference Protocol v2 (KServe, Triton, MLServer,
//     OpenVINO); http(s)://HOST[:PORT]/v1/models/NAME[/versions/V]: TensorFlow Serving REST. A gateway may have
//     put a path before that.
// exec:COMMAND, exec+binary:COMMAND: a program that answers on its standard output, modelseal-exec(7).

bool is_endpoint(std::string_view target);  // a URL, exec: or exec+binary:, not a file
bool is_http_url(std::string_view target);  // begins with http:// or https://

// Checks before anything is asked or read that a URL is the address of a served model; also that a target that is no
// endpoint is not such an address without its "http://", if there is no such file. ErrorKind::usage, which does not show
// a password.
Result<void> check_target(const std::string& target);

// `expected`: the inputs of later queries. Error `mismatch` if the other side's metadata names another shape.
Result<std::unique_ptr<Oracle>> connect(const std::string& target, const EndpointOptions& options,
                                        const InputShape& expected);

}  // namespace modelseal::oracle

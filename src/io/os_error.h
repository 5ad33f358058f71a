// What the operating system refused, in the words of a person.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::io {

// "NAME: cannot DOING: no space left on the device", kind unreadable, with a hint where there is one. `code` is
// an errno. The name is made printable here.
Error os_error(int code, std::string_view name, std::string_view doing);

}  // namespace modelseal::io

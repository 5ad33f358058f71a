// A second job at the same time.
#pragma once

#include <functional>
#include <future>
#include <system_error>

namespace modelseal::io {

// Runs `work` on another thread, or now on this one if the system has no more threads. The destructor of the future waits;
// get() rethrows what `work` threw.
inline std::future<void> alongside(const std::function<void()>& work) {
    try {
        return std::async(std::launch::async, work);
    } catch (const std::system_error&) {
        return std::async(std::launch::deferred, work);
    }
}

}  // namespace modelseal::io

#include "tests/support/sql.h"

#include <memory>
#include <stdexcept>

#include <sqlite3.h>

namespace modelseal::test {

std::vector<std::string> sql(const std::filesystem::path& file, const std::string& statements) {
    sqlite3* handle = nullptr;
    const auto opened = sqlite3_open(file.c_str(), &handle);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> closed(handle, sqlite3_close);
    if (opened != SQLITE_OK) throw std::runtime_error("cannot open " + file.string());
    std::vector<std::string> rows;
    const auto add = [](void* out, int columns, char** values, char**) {
        std::string row;
        for (int i = 0; i < columns; ++i)
            row += (i > 0 ? "|" : "") + std::string(values[i] == nullptr ? "" : values[i]);
        static_cast<std::vector<std::string>*>(out)->push_back(row);
        return 0;
    };
    if (sqlite3_exec(handle, statements.c_str(), add, &rows, nullptr) != SQLITE_OK) {
        throw std::runtime_error(statements + ": " + sqlite3_errmsg(handle));
    }
    return rows;
}

}  // namespace modelseal::test

#include "cre2.h"

#include <re2/re2.h>

#include <cstring>
#include <new>

struct cre2 {
    RE2 pattern;
    cre2(const re2::StringPiece &text, const RE2::Options &options) : pattern(text, options) {}
};

cre2 *cre2_make(const char *pattern, size_t length, size_t memory, char *error, size_t error_capacity) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(static_cast<int64_t>(memory));
    cre2 *result = new (std::nothrow) cre2(re2::StringPiece(pattern, length), options);
    if (result == nullptr) return nullptr;
    if (result->pattern.ok()) return result;
    if (error_capacity > 0) {
        std::strncpy(error, result->pattern.error().c_str(), error_capacity - 1);
        error[error_capacity - 1] = 0;
    }
    delete result;
    return nullptr;
}

bool cre2_finds(const cre2 *pattern, const char *text, size_t length) {
    return RE2::PartialMatch(re2::StringPiece(text, length), pattern->pattern);
}

void cre2_free(cre2 *pattern) { delete pattern; }

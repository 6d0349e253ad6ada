#ifndef CRE2_H
#define CRE2_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled pattern of RE2, whose time to match grows with the text and nothing else.
typedef struct cre2 cre2;

/// Compiles a pattern (UTF-8, not ended by NUL) with at most `memory` bytes for its program and states.
/// Returns NULL for what is no pattern; then `error` has why, ended by NUL.
cre2 *cre2_make(const char *pattern, size_t length, size_t memory, char *error, size_t error_capacity);

/// Whether the pattern is found anywhere in the text. May be called from several threads at once.
bool cre2_finds(const cre2 *pattern, const char *text, size_t length);

void cre2_free(cre2 *pattern);

#ifdef __cplusplus
}
#endif

#endif

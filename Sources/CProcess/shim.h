// What Swift cannot import: prctl is variadic.
#if defined(__linux__)
#include <sys/prctl.h>
/// Whether the process could be marked as one whose memory may not be dumped or read.
static inline int process_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
/// 1 when the process may be dumped.
static inline int process_may_be_dumped(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }
#endif

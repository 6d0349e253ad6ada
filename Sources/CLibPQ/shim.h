#include <libpq-fe.h>
#include <dlfcn.h>
#include <stdint.h>

/// OpenSSL, where libpq uses it, does not clean up after itself when the process ends: threads may still close their
/// connections then. 1 = done, 0 = there is no OpenSSL. Call before the first connection.
static inline int pq_keep_crypto_to_the_end(void) {
  int (*initialise)(uint64_t options, const void *settings) =
      (int (*)(uint64_t, const void *))dlsym((void *)0, "OPENSSL_init_crypto");
  // OPENSSL_INIT_NO_ATEXIT of openssl/crypto.h.
  return initialise ? initialise(0x00080000, (const void *)0) : 0;
}

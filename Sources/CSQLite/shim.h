// What Swift cannot import: sqlite3_config is variadic.
extern int sqlite3_config(int, ...);
/// 0 when SQLite keeps no statistics of its memory from now on (SQLITE_CONFIG_MEMSTATUS, 9). Before its first use only.
static inline int sqlite_forgo_memory_statistics(void) { return sqlite3_config(9, 0); }

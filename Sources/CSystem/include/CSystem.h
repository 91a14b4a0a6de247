// What Swift cannot reach by itself on Linux, as thin inline shims.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// Asks the processor to fetch the cache line at `address`, to be read and written soon. Never faults.
static inline void csystem_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

/// Zeroed anonymous memory of `length` bytes (rounded up to pages), asked to be backed by huge pages; NULL on failure.
void *csystem_map(size_t length);
void csystem_unmap(void *address, size_t length);

/// Ignores SIGPIPE, so that a reader that closes our output is an error code and not a death.
void csystem_ignore_sigpipe(void);

/// Makes SIGINT and SIGTERM set a flag that csystem_interrupted() reads; a second signal kills as usual.
void csystem_catch_interrupts(void);
int csystem_interrupted(void);

/// Columns of the terminal on `fd`, or 0 where it is none.
int csystem_terminal_columns(int fd);

#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

void *clinux_map(size_t length) {
  void *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return NULL;
  // Huge pages for what grows large; a small table need not have a whole one.
  size_t small = 2u << 20;
  if (length > 2 * small) madvise((char *)address + small, length - small, MADV_HUGEPAGE);
  return address;
}

void clinux_unmap(void *address, size_t length) { munmap(address, length); }

void clinux_release(void *address, size_t length) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)address + page - 1) / page * page, end = ((uintptr_t)address + length) / page * page;
  if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void clinux_provide(uintptr_t address, size_t length) { madvise((void *)address, length, MADV_POPULATE_WRITE); }

void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <sys/mman.h>

void *clinux_map(size_t length) {
  void *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return NULL;
  madvise(address, length, MADV_HUGEPAGE);
  return address;
}

void clinux_unmap(void *address, size_t length) { munmap(address, length); }

void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

#define _GNU_SOURCE
#include "CLinux.h"

#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
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

// A debugger's breakpoints are in the code. Of uprobes nobody tells: so a variable keeps it too.
static int keeps_code(void) {
  if (getenv("SYNSCOPE_KEEP_CODE")) return 1;
  FILE *status = fopen("/proc/self/status", "re");
  if (!status) return 0;
  char line[256];
  long tracer = 0;
  while (fgets(line, sizeof line, status))
    if (sscanf(line, "TracerPid: %ld", &tracer) == 1) break;
  fclose(status);
  return tracer != 0;
}

static int drop_code(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size, (void)unused;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    // What was never writable is as it is in its file: nothing that is linked here relocates its code.
    if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
    uintptr_t start = (info->dlpi_addr + segment->p_vaddr) / page * page;
    uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_filesz;
    madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void clinux_drop_code(void) {
  if (!keeps_code()) dl_iterate_phdr(drop_code, NULL);
}

void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

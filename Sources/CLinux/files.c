#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

// Few: each has a thread that reads ahead.
#define MAPPINGS 16

static struct mapping {
  atomic_int taken;
  _Atomic uintptr_t start;
  _Atomic size_t length;
  atomic_int torn;
} mappings[MAPPINGS];

static struct sigaction previous;
static uintptr_t page_size;

// The pages of a mapping that its file does not have any more become pages of zeros. Whoever reads them goes on, and sees that it is torn.
static void on_bus_error(int number, siginfo_t *info, void *context) {
  (void)context;
  int code = errno;
  uintptr_t address = (uintptr_t)info->si_addr;
  int is_fault = info->si_code == BUS_ADRERR || info->si_code == BUS_MCEERR_AR;
  for (size_t i = 0; i < MAPPINGS && is_fault; i++) {
    uintptr_t start = atomic_load(&mappings[i].start);
    if (start == 0 || address < start || address - start >= atomic_load(&mappings[i].length)) continue;
    void *page = (void *)(address / page_size * page_size);
    if (mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
    atomic_store(&mappings[i].torn, 1);
    errno = code;
    return;
  }
  // Somebody else's: a fault comes again, and goes where it would have.
  sigaction(SIGBUS, &previous, NULL);
  if (!is_fault) raise(number);
}

static void catch_bus_errors(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  struct sigaction now;
  if (sigaction(SIGBUS, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_bus_error)) {
    previous = now;
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
  }
  pthread_mutex_unlock(&lock);
}

const void *clinux_map_file(int fd, size_t length, int *number) {
  catch_bus_errors();
  for (int i = 0; i < MAPPINGS; i++) {
    int taken = 0;
    if (!atomic_compare_exchange_strong(&mappings[i].taken, &taken, 1)) continue;
    void *start = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (start == MAP_FAILED) {
      atomic_store(&mappings[i].taken, 0);
      return NULL;
    }
    madvise(start, length, MADV_SEQUENTIAL);
    atomic_store(&mappings[i].torn, 0);
    atomic_store(&mappings[i].length, length);
    atomic_store(&mappings[i].start, (uintptr_t)start);
    *number = i;
    return start;
  }
  errno = ENFILE;
  return NULL;
}

void clinux_unmap_file(int number) {
  void *start = (void *)atomic_exchange(&mappings[number].start, 0);
  munmap(start, atomic_load(&mappings[number].length));
  atomic_store(&mappings[number].taken, 0);
}

int clinux_is_torn(int number) { return atomic_load_explicit(&mappings[number].torn, memory_order_relaxed); }

int clinux_provide_file(int number, size_t offset, size_t length) {
  uintptr_t start = atomic_load_explicit(&mappings[number].start, memory_order_relaxed);
  uintptr_t first = (start + offset) / page_size * page_size, end = start + offset + length;
  if (madvise((void *)first, end - first, MADV_POPULATE_READ) == 0) return 0;
  // Linux before 5.14 does not know how: it begins to read, and the pages are mapped where they are looked at.
  return errno == EINVAL && madvise((void *)first, end - first, MADV_WILLNEED) == 0 ? 0 : errno;
}

void clinux_leave_file(int number, size_t offset, size_t length) {
  uintptr_t start = atomic_load_explicit(&mappings[number].start, memory_order_relaxed);
  clinux_release((void *)(start + offset), length);
}

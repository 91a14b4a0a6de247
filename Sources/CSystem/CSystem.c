#define _GNU_SOURCE
#include "CSystem.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

void *csystem_map(size_t length) {
  void *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return NULL;
  madvise(address, length, MADV_HUGEPAGE);
  return address;
}

void csystem_unmap(void *address, size_t length) { munmap(address, length); }

void csystem_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

static volatile sig_atomic_t interrupted = 0;

static void note_interrupt(int number) {
  interrupted = number;
  signal(number, SIG_DFL);
}

void csystem_catch_interrupts(void) {
  struct sigaction action = {.sa_handler = note_interrupt};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int csystem_interrupted(void) { return interrupted; }

int csystem_terminal_columns(int fd) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

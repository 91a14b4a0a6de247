#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int clinux_terminal_columns(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int clinux_terminal_rows(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

static pid_t guard_process = -1;

static void put(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t count = write(fd, text, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text += count;
    length -= (size_t)count;
  }
}

// No colour, no autowrap change, cursor shown, the screen as it was.
#define LEAVE "\033[0m\033[?25h\033[?1049l"
#define ENTER "\033[?1049h\033[?25l\033[2J"

int clinux_take_terminal(int fd) {
  struct termios before;
  if (tcgetattr(fd, &before) != 0) return -1;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  guard_process = fork();
  if (guard_process < 0) {
    close(ends[0]);
    close(ends[1]);
    return -1;
  }
  if (guard_process == 0) {
    // The guard: out of reach of signals to the terminal's processes, it waits until the other end of the pipe closes,
    // which the kernel sees to however the program ends.
    setsid();
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    close(ends[1]);
    char octet;
    while (read(ends[0], &octet, 1) < 0 && errno == EINTR) {}
    put(fd, LEAVE, sizeof LEAVE - 1);
    tcsetattr(fd, TCSAFLUSH, &before);
    _exit(0);
  }
  close(ends[0]);
  struct termios raw = before;
  raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(fd, TCSAFLUSH, &raw);
  put(fd, ENTER, sizeof ENTER - 1);
  return ends[1];
}

void clinux_release_terminal(int guard) {
  if (guard < 0) return;
  close(guard);
  while (waitpid(guard_process, NULL, 0) < 0 && errno == EINTR) {}
}

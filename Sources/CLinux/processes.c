#define _GNU_SOURCE
#include <sys/resource.h>
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Waits for the command, and ends it when the leash is let go.
static void guard(const char *command, int leash) {
  // Without a terminal the command and what it starts are a group, that can be ended as one. With one they stay in the
  // terminal's foreground, where Ctrl-C reaches them all.
  int is_group = !isatty(STDIN_FILENO);
  pid_t child = fork();
  if (child < 0) _exit(127);
  if (child == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (is_group) setpgid(0, 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  if (is_group) setpgid(child, child);
  pid_t target = is_group ? -child : child;
  int process = (int)syscall(SYS_pidfd_open, child, 0);
  struct pollfd waiting[2] = {{process, POLLIN, 0}, {leash, POLLIN, 0}};
  while (poll(waiting, 2, -1) < 0 && errno == EINTR) {}
  if (process < 0 || waiting[1].revents != 0) {
    kill(target, SIGTERM);
    poll(waiting, 1, 2000);
    // Also what the shell left behind when it ended; not waited for yet, its id is still the group's.
    kill(target, SIGKILL);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  _exit(status_of(status));
}

pid_t clinux_start(const char *command, int *descriptor, int *leash) {
  // An ignored SIGCHLD is inherited, and leaves nothing to wait for.
  signal(SIGCHLD, SIG_DFL);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t child = fork();
  if (child < 0) {
    int code = errno;
    close(ends[0]);
    close(ends[1]);
    errno = code;
    return -1;
  }
  if (child == 0) {
    close(ends[1]);
    guard(command, ends[0]);
  }
  close(ends[0]);
  *leash = ends[1];
  *descriptor = (int)syscall(SYS_pidfd_open, child, 0);
  if (*descriptor < 0) {
    int code = errno;
    close(ends[1]);
    waitpid(child, NULL, 0);
    errno = code;
    return -1;
  }
  return child;
}

pid_t clinux_start_pager(const char *command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGPIPE, SIG_DFL);
    dup2(ends[0], STDIN_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  int code = errno;
  if (child > 0) dup2(ends[1], STDOUT_FILENO);
  close(ends[0]);
  close(ends[1]);
  errno = code;
  return child;
}

int clinux_exit_status(pid_t process) {
  int status;
  return waitpid(process, &status, WNOHANG) == process ? status_of(status) : -1;
}

void clinux_raise_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

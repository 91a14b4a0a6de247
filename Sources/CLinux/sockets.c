#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// Connections that wait to be accepted.
#define BACKLOG 128

int clinux_refuse_packets(int fd) {
  struct sock_filter none = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog program = {1, &none};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : errno;
}

int clinux_interface_is_up(int fd, const char *name) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) return -1;
  return (request.ifr_flags & IFF_UP) != 0;
}

int clinux_listen_tcp(const char *address, uint16_t port, uint16_t *bound) {
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr *place = (struct sockaddr *)&six;
  socklen_t length = sizeof six;
  if (inet_pton(AF_INET6, address, &six.sin6_addr) != 1) {
    if (inet_pton(AF_INET, address, &four.sin_addr) != 1) return -EINVAL;
    place = (struct sockaddr *)&four;
    length = sizeof four;
  }
  int fd = socket(place->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, place, length) != 0 || listen(fd, BACKLOG) != 0 || getsockname(fd, place, &length) != 0) {
    int code = errno;
    close(fd);
    return -code;
  }
  *bound = ntohs(place->sa_family == AF_INET6 ? six.sin6_port : four.sin_port);
  return fd;
}

// 0 where nothing is at the path any more, or errno: EADDRINUSE where a process serves there, ENOTSOCK where it is no socket.
static int clear_stale_socket(const struct sockaddr_un *place, socklen_t length) {
  struct stat there;
  if (lstat(place->sun_path, &there) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(there.st_mode)) return ENOTSOCK;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  int code = connect(fd, (const struct sockaddr *)place, length) == 0 || errno == EAGAIN ? EADDRINUSE : errno;
  close(fd);
  if (code != ECONNREFUSED) return code;
  return unlink(place->sun_path) == 0 ? 0 : errno;
}

static pid_t socket_guard = -1;

// A process of its own that removes the socket when this one ends in whatever way: by then this one may be a user who must not.
static int guard_socket(const char *path, const struct stat *made) {
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  char folder[sizeof((struct sockaddr_un *)0)->sun_path] = ".";
  if (slash != NULL) {
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, path, length);
    folder[length] = 0;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  socket_guard = fork();
  if (socket_guard < 0) {
    int code = errno;
    close(ends[0]);
    close(ends[1]);
    return -code;
  }
  if (socket_guard > 0) {
    close(ends[0]);
    return ends[1];
  }
  setsid();
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  int place = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (int fd = 0; fd < 1024; fd++) {
    if (fd != ends[0] && fd != place) close(fd);
  }
  char octet;
  while (read(ends[0], &octet, 1) < 0 && errno == EINTR) {}
  struct stat there;
  int is_ours = fstatat(place, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_dev == made->st_dev && there.st_ino == made->st_ino;
  if (is_ours) unlinkat(place, name, 0);
  _exit(0);
}

int clinux_listen_unix(const char *path, int *guard) {
  struct sockaddr_un place = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof place.sun_path) return -ENAMETOOLONG;
  strcpy(place.sun_path, path);
  int code = clear_stale_socket(&place, sizeof place);
  if (code != 0) return -code;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  // The mode is there from the first moment: nobody connects before a chmod.
  mode_t before = umask(0117);
  code = bind(fd, (struct sockaddr *)&place, sizeof place) == 0 ? 0 : errno;
  umask(before);
  struct stat made;
  if (code == 0 && (listen(fd, BACKLOG) != 0 || lstat(path, &made) != 0)) code = errno;
  if (code == 0) {
    *guard = guard_socket(path, &made);
    if (*guard < 0) code = -*guard;
  }
  if (code == 0) return fd;
  close(fd);
  return -code;
}

void clinux_remove_socket(int guard) {
  if (guard < 0) return;
  close(guard);
  while (waitpid(socket_guard, NULL, 0) < 0 && errno == EINTR) {}
}

int clinux_free_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  int most = limit.rlim_cur > 4096 ? 4096 : (int)limit.rlim_cur, count = 0;
  for (int fd = 0; fd < most; fd++) count += fcntl(fd, F_GETFD) < 0;
  return count;
}

int clinux_spare_descriptor(void) { return eventfd(0, EFD_CLOEXEC); }

int clinux_turn_away(int listener, int spare) {
  static const char words[] =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 28\r\n"
      "Retry-After: 5\r\nConnection: close\r\n\r\nno file descriptor is free.\n";
  if (spare >= 0) close(spare);
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) {
    // Where the request is read, the answer is not lost by a reset.
    char request[4096];
    if (recv(fd, request, sizeof request, 0) != 0) send(fd, words, sizeof words - 1, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    close(fd);
  }
  return clinux_spare_descriptor();
}

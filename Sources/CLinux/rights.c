#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_become(uid_t uid, gid_t gid) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return errno;
  if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) return errno;
  return 0;
}

static struct {
  gid_t *groups;
  int group_count;
  uid_t user;
  gid_t group;
} before;

int clinux_act_as(uid_t uid, gid_t gid) {
  before.user = geteuid();
  before.group = getegid();
  before.group_count = getgroups(0, NULL);
  if (before.group_count < 0) return errno;
  before.groups = calloc((size_t)before.group_count + 1, sizeof *before.groups);
  if (before.groups == NULL || getgroups(before.group_count, before.groups) < 0) return errno;
  if (setgroups(0, NULL) == 0 && setegid(gid) == 0 && seteuid(uid) == 0) return 0;
  int code = errno;
  clinux_act_as_before();
  return code;
}

void clinux_act_as_before(void) {
  int is_done = seteuid(before.user) == 0 && setegid(before.group) == 0 &&
                setgroups((size_t)before.group_count, before.groups) == 0;
  free(before.groups);
  before.groups = NULL;
  // Nobody could go on as half of one and half of another.
  if (!is_done) abort();
}

int clinux_reduce_capabilities(uint64_t kept) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  if (syscall(SYS_capget, &header, data) != 0) return errno;
  for (int half = 0; half < 2; half++) {
    uint32_t rest = data[half].permitted & (uint32_t)(kept >> 32 * half);
    data[half] = (struct __user_cap_data_struct){rest, rest, 0};
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno; }

// The kernel may know more than the headers that this was built with, and the other way round: the values are the ABI's.
struct rules {
  uint64_t files;
  uint64_t network;
  uint64_t scopes;
};
enum {
  landlock_bind_tcp = 1,
  landlock_connect_tcp = 2,
  landlock_refer = 1 << 13,
  landlock_truncate = 1 << 14,
  landlock_device_ioctl = 1 << 15,
  // Abstract Unix sockets and signals, out of this domain.
  landlock_all_scopes = 3,
};

static int allow(int ruleset, const char *path, uint64_t access, int is_file) {
  struct landlock_path_beneath_attr rule = {.allowed_access = access};
  rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
  // What is not there needs no rule.
  if (rule.parent_fd < 0) return 0;
  struct stat information;
  if (is_file && fstat(rule.parent_fd, &information) == 0 && S_ISDIR(information.st_mode)) {
    // Whoever opens it is told that it is a folder. What is in it stays closed.
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_DIR;
  }
  long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  int code = result == 0 ? 0 : errno;
  close(rule.parent_fd);
  // A pipe is in no file system that Landlock closes.
  return code == EBADFD ? 0 : code;
}

int clinux_confine_files(const struct clinux_open_files *open_files) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return errno;
  const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
  if (version >= 3) writing |= landlock_truncate;
  struct rules rules = {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
  if (version >= 2) rules.files |= landlock_refer;
  if (version >= 3) rules.files |= landlock_truncate;
  if (version >= 4) rules.network = landlock_bind_tcp | landlock_connect_tcp;
  if (version >= 5) rules.files |= landlock_device_ioctl;
  if (version >= 6) rules.scopes = landlock_all_scopes;
  size_t size = version >= 6   ? sizeof rules
                : version >= 4 ? offsetof(struct rules, scopes)
                               : offsetof(struct rules, network);
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
  if (ruleset < 0) return errno;
  int code = 0;
  for (size_t i = 0; i < open_files->file_count && code == 0; i++) {
    code = allow(ruleset, open_files->files[i], LANDLOCK_ACCESS_FS_READ_FILE, 1);
  }
  for (size_t i = 0; i < open_files->folder_count && code == 0; i++) {
    code = allow(ruleset, open_files->folders[i], reading, 0);
  }
  if (code == 0 && open_files->writable != NULL) code = allow(ruleset, open_files->writable, reading | writing, 0);
  if (code == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) code = errno;
  close(ruleset);
  return code;
}

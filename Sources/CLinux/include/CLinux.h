// What Swift cannot reach by itself on Linux, as thin shims.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Memory

/// Asks the processor to fetch the cache line at `address`, to be read and written soon. Never faults.
static inline void clinux_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }
/// The same, only to be read: another core may keep the line.
static inline void clinux_prefetch_read(const void *address) { __builtin_prefetch(address, 0, 3); }

/// Of four words, a bit for each whose upper half is `tag` or whose lower half is 0. In one step where the processor has SSE2.
static inline uint32_t clinux_probe(const uint64_t *words, uint32_t tag) {
#ifdef __SSE2__
  __m128 first = _mm_castsi128_ps(_mm_loadu_si128((const __m128i *)words));
  __m128 last = _mm_castsi128_ps(_mm_loadu_si128((const __m128i *)(words + 2)));
  __m128i upper = _mm_castps_si128(_mm_shuffle_ps(first, last, 0xdd));
  __m128i lower = _mm_castps_si128(_mm_shuffle_ps(first, last, 0x88));
  __m128i found = _mm_or_si128(_mm_cmpeq_epi32(upper, _mm_set1_epi32((int)tag)), _mm_cmpeq_epi32(lower, _mm_setzero_si128()));
  return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(found));
#else
  uint32_t found = 0;
  for (int word = 0; word < 4; word++) found |= (uint32_t)(words[word] >> 32 == tag || (uint32_t)words[word] == 0) << word;
  return found;
#endif
}

/// Zeroed anonymous memory of `length` bytes (rounded up to pages), asked to be backed by huge pages; NULL on failure.
void *clinux_map(size_t length);
void clinux_unmap(void *address, size_t length);
/// Gives back the whole pages of this memory, not the addresses.
void clinux_release(void *address, size_t length);
/// Has the system provide the pages of such memory now, where it can (Linux 5.14 and later): no later touch waits for it.
void clinux_provide(uintptr_t address, size_t length);

/// The first `length` octets of a file, to be read where they are; NULL and errno on failure. Where the file is cut meanwhile, or cannot be
/// read, what is missing is 0 from then on, and the mapping is torn: instead of SIGBUS. `*number` is its own.
const void *clinux_map_file(int fd, size_t length, int *number);
void clinux_unmap_file(int number);
/// Whether octets were missing where they were read.
int clinux_is_torn(int number);
/// Has the octets at `offset` in memory before they are read; 0, or errno where the file does not have them.
int clinux_provide_file(int number, size_t offset, size_t length);
/// Lets the pages of octets go that were read. To read them again is right, and slow.
void clinux_leave_file(int number, size_t offset, size_t length);

// Signals

/// Ignores SIGPIPE, so that a reader that closes our output is an error code and not a death.
void clinux_ignore_sigpipe(void);

/// Makes SIGINT and SIGTERM set a flag that clinux_interrupted() reads; a second signal kills as usual.
void clinux_catch_interrupts(void);
int clinux_interrupted(void);

/// Blocks SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGWINCH in this thread, and in those that it starts, and gives a
/// descriptor that they are read from; -1 on failure.
int clinux_signal_descriptor(void);
/// The next signal waiting there; 0 for none.
int clinux_next_signal(int fd);

/// A descriptor that is readable after clinux_wake(), until clinux_woken(); -1 on failure.
int clinux_wake_descriptor(void);
// Allows as many open files as the system lets this process have.
void clinux_raise_descriptors(void);
void clinux_wake(int fd);
void clinux_woken(int fd);

/// Gives the signals of crashes back to the system: a confined process can start no program that looks into them.
void clinux_default_crashes(void);

void clinux_name_thread(const char *name);

// Processes

/// Starts `command` with /bin/sh, with no signal blocked, under a guard that ends it (SIGTERM, SIGKILL 2 s later) once
/// `*leash` is closed, by whatever end of this process. A guard, since a process that gave up its user can signal nobody.
/// Call it before threads start. Returns the guard's id, or -1 and errno; `*descriptor` is readable once it has ended.
pid_t clinux_start(const char *command, int *descriptor, int *leash);
/// The exit status of a process that has ended, 128 and the signal's number where one ended it; -1 while it runs.
int clinux_exit_status(pid_t process);
/// Starts a shell's command that reads what this process writes to standard output from now on.
/// - Returns: its process; -1 with errno if it cannot be started.
pid_t clinux_start_pager(const char *command);

// Terminal

/// Columns or rows of the terminal on `fd`, or 0 where it is none.
int clinux_terminal_columns(int fd);
int clinux_terminal_rows(int fd);

/// Takes the terminal on `fd` over: no echo, no lines, the alternate screen. A process of its own gives it back when this
/// one ends in whatever way. Call it before threads start. Returns a descriptor for clinux_release_terminal, or -1.
int clinux_take_terminal(int fd);
/// Gives the terminal back, and waits until that is done.
void clinux_release_terminal(int guard);

// Network sockets

/// Makes a packet socket take nothing new. What it holds can still be read. 0, or errno.
int clinux_refuse_packets(int fd);
/// Whether the interface `name` of the socket's network namespace is up; -1 where there is none.
int clinux_interface_is_up(int fd, const char *name);

/// A socket that listens on a numeric address (`*bound` is the port, where 0 was asked for), or a negative errno.
int clinux_listen_tcp(const char *address, uint16_t port, uint16_t *bound);
/// A socket that listens on a path, with mode 0660, or a negative errno: EADDRINUSE where a process serves there, ENOTSOCK where
/// something is that is no socket. A socket that nobody serves any more is replaced. `*guard` is for clinux_remove_socket: a
/// process removes the socket also where this one is killed. Call it before threads start.
int clinux_listen_unix(const char *path, int *guard);
/// Removes the socket, and waits until that is done.
void clinux_remove_socket(int guard);
/// How many descriptors this process may still open; no more than 4,096 are counted.
int clinux_free_descriptors(void);
/// A descriptor that stands for nothing; -1 on failure.
int clinux_spare_descriptor(void);
/// Closes a spare descriptor, to tell the next connection over HTTP that there is no other. Returns a new spare one, or -1.
int clinux_turn_away(int listener, int spare);

// Rights

/// Becomes a user for good: groups, gid, uid. Capabilities stay permitted until clinux_reduce_capabilities. 0, or errno.
int clinux_become(uid_t uid, gid_t gid);
/// Acts with a user's and a group's rights, and no further groups, until clinux_act_as_before. 0, or errno.
int clinux_act_as(uid_t uid, gid_t gid);
/// Acts with the rights that clinux_act_as found.
void clinux_act_as_before(void);
/// Gives up all capabilities but those of the mask `kept` (bit CAP_...) that the process has. 0, or errno.
int clinux_reduce_capabilities(uint64_t kept);
/// PR_SET_NO_NEW_PRIVS. 0, or errno.
int clinux_no_new_privileges(void);

/// What stays open of the file system.
struct clinux_open_files {
  /// May be read.
  const char *const *files;
  size_t file_count;
  /// All that is in them may be read.
  const char *const *folders;
  size_t folder_count;
  /// Files in this folder may be made, read, written, renamed and removed; NULL for none.
  const char *writable;
};
/// Landlock for this thread and those that it starts: all else in the file system is closed. TCP may be neither bound nor connected. 0, or
/// errno (ENOSYS and EOPNOTSUPP where the kernel has none).
int clinux_confine_files(const struct clinux_open_files *open_files);

import CLinux
import CSeccomp
import Glibc
import PacketCapture

/// What a live run may still do once its interfaces and files are open: nothing that capturing and reporting do not need.
/// It binds the calling thread and those that it starts, so it comes before them.
struct Confinement {
    /// `-Z`: the user to become when started as root.
    var user = Confinement.defaultUser
    /// Whether interfaces are to be opened again: the right to capture is kept, and nothing else.
    var reopensInterfaces = false
    /// Where files may be made.
    var folder: String?
    /// Whether a socket that listens is to be served.
    var serves = false

    static let defaultUser = "nobody"

    struct Account {
        var name: String
        var user: uid_t
        var group: gid_t
    }

    /// The user to become; nil where this process is not root's, or is to stay root's.
    func account() throws(CommandFailure) -> Account? {
        guard geteuid() == 0 else { return nil }
        guard let entry = unsafe getpwnam(user) else {
            throw CommandFailure(status: .wrongUsage, message: "-Z \(user): there is no such user")
        }
        let account = unsafe Account(name: user, user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        return account.user == 0 ? nil : account
    }

    func enter(_ account: Account?) throws(CommandFailure) {
        if let account { try require(clinux_become(account.user, account.group), "become \(account.name)") }
        // -Z root keeps what root may do.
        if geteuid() != 0 {
            try require(clinux_reduce_capabilities(reopensInterfaces ? 1 : 0), "give up its capabilities")
        }
        try require(clinux_no_new_privileges(), "give up new privileges")
        // libpcap reads the interface's drop counters there.
        let readable = ["/sys/devices", "/sys/class/net", "/proc"]
        let code = unsafe Confinement.withStrings(readable) { paths in
            unsafe clinux_confine_files(paths, readable.count, folder)
        }
        if code == ENOSYS || code == EOPNOTSUPP {
            StandardError.write("this kernel has no Landlock: the file system stays open to this process")
        } else {
            try require(code, "confine itself to its files")
        }
        clinux_default_crashes()
        try filterCalls()
    }

    private static func withStrings(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Int32)
        -> Int32
    {
        let copies = unsafe strings.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        let pointers = unsafe copies.map { unsafe UnsafePointer($0) }
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }

    private func require(_ code: Int32, _ action: String) throws(CommandFailure) {
        guard code != 0 else { return }
        throw CommandFailure(
            status: .notPermitted, message: "cannot \(action): \(unsafe String(cString: strerror(code)))")
    }

    /// The system calls that are left; any other fails with ENOSYS, as if the kernel had none. By name, since not every
    /// architecture has all of them.
    private static let calls = [
        // memory, threads, time
        "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "futex", "clone", "clone3", "set_robust_list", "rseq",
        "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_setscheduler", "membarrier",
        "exit", "exit_group", "wait4", "setsid", "restart_syscall", "clock_gettime", "clock_nanosleep", "nanosleep",
        "gettimeofday", "getrandom", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "prlimit64",
        "getrusage",
        "sysinfo", "uname", "prctl", "set_tid_address", "getcpu",
        // signals
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "signalfd4", "tgkill", "rt_sigtimedwait",
        // descriptors
        "read", "write", "readv", "writev", "pread64", "pwrite64", "close", "lseek", "fstat", "newfstatat", "stat",
        "statx", "ioctl", "fcntl", "dup", "dup2", "dup3", "pipe2", "poll", "ppoll", "eventfd2", "timerfd_create",
        "timerfd_settime", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
        // files: which ones is Landlock's to say
        "open", "openat", "getdents64", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "unlink",
        "unlinkat",
        "ftruncate", "fsync", "fdatasync",
        // sockets that are open, and connections to them
        "getsockopt", "setsockopt", "getsockname", "getpeername", "recvfrom", "recvmsg", "sendto", "sendmsg",
        "sendfile",
        "accept", "accept4", "shutdown",
    ]
    /// To open interfaces again.
    private static let socketCalls = ["socket", "bind", "listen"]
    /// For a socket that is bound, and listens already.
    private static let serviceCalls = ["listen"]

    private func filterCalls() throws(CommandFailure) {
        // SCMP_ACT_ERRNO(ENOSYS), SCMP_ACT_ALLOW
        guard let context = unsafe seccomp_init(0x0005_0000 | UInt32(ENOSYS)) else {
            return try require(ENOMEM, "filter its system calls")
        }
        defer { unsafe seccomp_release(context) }
        let names =
            Confinement.calls + (reopensInterfaces ? Confinement.socketCalls : [])
            + (serves ? Confinement.serviceCalls : [])
        for name in names {
            let number = unsafe seccomp_syscall_resolve_name(name)
            // Negative: this architecture has none of that name.
            if number >= 0 { unsafe _ = seccomp_rule_add_array(context, 0x7fff_0000, number, 0, nil) }
        }
        try require(-(unsafe seccomp_load(context)), "filter its system calls")
    }
}

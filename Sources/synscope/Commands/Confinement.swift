import CLinux
import CSeccomp
import Glibc
import PacketCapture

/// Confines a run once its files are open to what reading, capturing and reporting need.
/// It binds the calling thread and those that it starts, so it comes before them.
struct Confinement {
    private enum Work {
        case files
        case interfaces(reopened: Bool)
    }

    private let work: Work
    /// Files that may be opened again, to be read.
    private var files: [String] = []
    /// Folders of which all may be read.
    private var folders: [String] = []
    /// Where files may be made.
    private var writableFolder: String?
    /// Whether a socket that listens is served.
    private var serves = false

    private init(_ work: Work) { self.work = work }

    /// For a run that reads files.
    /// - Parameter follows: whether another file may take the name of one.
    static func reading(_ paths: [String], follows: Bool) -> Confinement {
        var confinement = Confinement(.files)
        confinement.files = paths.filter { $0 != "-" }
        // Whether a debugger is attached, and how many processors there are.
        confinement.folders = ["/proc/self", "/sys/devices/system/cpu"]
        guard follows else { return confinement }
        for path in confinement.files {
            var folder = RotatingSavefile.folder(of: path)
            while unsafe access(folder, F_OK) != 0, folder != "/", folder != "." {
                folder = RotatingSavefile.folder(of: folder)
            }
            confinement.folders.append(folder)
            guard let target = unsafe realpath(path, nil) else { continue }
            confinement.folders.append(RotatingSavefile.folder(of: unsafe String(cString: target)))
            unsafe free(target)
        }
        return confinement
    }

    /// Gives up all that reading files does not need, before the first octet of them is looked at. Files that are
    /// written are open by then. Nothing is given up where SYNSCOPE_UNCONFINED is set: valgrind makes code in the
    /// process that it looks at.
    /// - Parameter folder: where files may be made later on.
    static func confineReading(_ paths: [String], follows: Bool = false, writing folder: String? = nil) {
        if Terminal.environment("SYNSCOPE_UNCONFINED") != nil { return }
        var confinement = reading(paths, follows: follows)
        confinement.writableFolder = folder
        do throws(CommandFailure) {
            try confinement.reduceRights()
            try confinement.enter()
        } catch {
            // A system that cannot do it can still read files.
            StandardError.write("\(error.message ?? ""): it reads on with more rights than it needs")
        }
    }

    /// For a run that captures on interfaces, which are open.
    /// - Parameters:
    ///   - reopens: whether interfaces are to be opened again: the right to capture is kept, and no other.
    ///   - folder: where files may be made.
    ///   - serves: whether a socket that listens is served.
    static func capturing(reopens: Bool = false, folder: String? = nil, serves: Bool = false) -> Confinement {
        var confinement = Confinement(.interfaces(reopened: reopens))
        // libpcap reads the interface's drop counters there.
        confinement.folders = ["/sys/devices", "/sys/class/net", "/proc"]
        confinement.writableFolder = folder
        confinement.serves = serves
        return confinement
    }

    // MARK: The user

    static let defaultUser = "nobody"

    struct Account {
        var name: String
        var user: uid_t
        var group: gid_t

        /// The user to become, as -Z names it; nil where this process is not root's, or is to stay root's.
        init?(_ name: String) throws(CommandFailure) {
            guard geteuid() == 0 else { return nil }
            guard let entry = unsafe getpwnam(name) else {
                throw CommandFailure(status: .wrongUsage, message: "-Z \(name): there is no such user")
            }
            self.name = name
            unsafe (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
            if user == 0 { return nil }
        }
    }

    /// Becomes a user, if there is one to become, and gives up every capability that is not needed any more.
    func reduceRights(_ account: Account? = nil) throws(CommandFailure) {
        if let account {
            try Confinement.require(clinux_become(account.user, account.group), "become \(account.name)")
        }
        try Confinement.require(clinux_reduce_capabilities(capabilities), "give up its capabilities")
    }

    /// Those that are kept where the process has them, as bits.
    private var capabilities: UInt64 {
        let (writeAnywhere, readAnywhere, capture): (UInt64, UInt64, UInt64) = (1 << 1, 1 << 2, 1 << 13)
        switch work {
        // Root can open again what it could open before.
        case .files: return writeAnywhere | readAnywhere
        case .interfaces(let reopened):
            // Root that stays root makes files in any folder, though nowhere else than where Landlock lets it.
            return (reopened ? capture : 0) | (geteuid() == 0 && writableFolder != nil ? writeAnywhere : 0)
        }
    }

    /// Does something with a user's rights instead of one's own. Threads are started later.
    /// - Parameter account: nil where the rights stay as they are.
    static func acting<Result>(
        as account: Account?, _ body: () throws(CommandFailure) -> Result
    ) throws(CommandFailure) -> Result {
        guard let account else { return try body() }
        try require(clinux_act_as(account.user, account.group), "act as \(account.name)")
        defer { clinux_act_as_before() }
        return try body()
    }

    // MARK: Landlock and seccomp

    /// After `reduceRights`.
    func enter() throws(CommandFailure) {
        try Confinement.require(clinux_no_new_privileges(), "give up new privileges")
        let code = confineFiles()
        let isWithoutLandlock = code == ENOSYS || code == EOPNOTSUPP
        if isWithoutLandlock {
            StandardError.write("this kernel has no Landlock: the file system stays open to this process")
        }
        clinux_default_crashes()
        // Also where Landlock failed: a run that reads files goes on.
        try filterCalls()
        if !isWithoutLandlock { try Confinement.require(code, "confine itself to its files") }
    }

    private func confineFiles() -> Int32 {
        unsafe Confinement.withStrings(files) { files in
            unsafe Confinement.withStrings(folders) { folders in
                unsafe Confinement.withStrings(writableFolder.map { [$0] } ?? []) { writable in
                    var open = unsafe clinux_open_files()
                    unsafe (open.files, open.file_count) = (files.baseAddress, files.count)
                    unsafe (open.folders, open.folder_count) = (folders.baseAddress, folders.count)
                    unsafe open.writable = writable.first ?? nil
                    return unsafe clinux_confine_files(&open)
                }
            }
        }
    }

    private static func withStrings(_ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Int32)
        -> Int32
    {
        let copies = unsafe strings.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        let pointers = unsafe copies.map { unsafe UnsafePointer($0) }
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0) }
    }

    private static func require(_ code: Int32, _ action: String) throws(CommandFailure) {
        guard code != 0 else { return }
        throw CommandFailure(
            status: .notPermitted, message: "cannot \(action): \(unsafe String(cString: strerror(code)))")
    }

    /// A system call that is left, where one of its arguments is as it says.
    private struct Call {
        var name: String
        var conditions: [scmp_arg_cmp] = []

        init(_ name: String) { self.name = name }

        init(_ name: String, _ argument: UInt32, mask: UInt64, is value: UInt64) {
            self.name = name
            conditions = [Call.condition(argument, mask: mask, is: value)]
        }

        static func condition(_ argument: UInt32, mask: UInt64, is value: UInt64) -> scmp_arg_cmp {
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        }

        static func socket(_ family: Int32, _ type: __socket_type? = nil) -> Call {
            var call = Call("socket", 0, mask: 0xffff_ffff, is: UInt64(family))
            // The rest of the type are flags.
            if let type { call.conditions.append(condition(1, mask: 0xf, is: UInt64(type.rawValue))) }
            return call
        }

        static func ioctl(_ request: UInt64) -> Call { Call("ioctl", 1, mask: 0xffff_ffff, is: request) }
    }

    /// The system calls that are left; any other fails with ENOSYS, as if the kernel had none. By name, since not
    /// every architecture has all of them. `clone3` is not among them: its flags cannot be looked at, and libraries
    /// then call `clone`.
    private static let calls =
        [
            // memory, threads, time
            "brk", "munmap", "mremap", "madvise", "futex", "set_robust_list", "rseq", "sched_yield",
            "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_setscheduler", "membarrier", "exit",
            "exit_group", "restart_syscall", "clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday",
            "getrandom", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "prlimit64", "getrusage",
            "sysinfo", "uname", "set_tid_address", "getcpu",
            // signals
            "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill", "rt_sigtimedwait",
            // descriptors
            "read", "write", "readv", "writev", "pread64", "pwrite64", "close", "lseek", "fstat", "newfstatat", "stat",
            "statx", "fcntl", "dup", "dup2", "dup3", "pipe2", "poll", "ppoll", "eventfd2",
            // files: which ones is Landlock's to say
            "open", "openat", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
        ].map { Call($0) } + [
            // No code is made, nor loaded.
            Call("mmap", 2, mask: UInt64(PROT_EXEC), is: 0), Call("mprotect", 2, mask: UInt64(PROT_EXEC), is: 0),
            // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: no namespace is made.
            Call("clone", 0, mask: 0x7e02_0000, is: 0),
            // PR_SET_NAME
            Call("prctl", 0, mask: 0xffff_ffff, is: 15),
            // Whether a descriptor is a terminal (the second is TCGETS2), and its size. TIOCSTI, which types into it,
            // is not here.
            .ioctl(UInt64(TCGETS)), .ioctl(0x802c_542a), .ioctl(UInt64(TIOCGWINSZ)),
        ]

    private static let fileCalls = [Call("fadvise64"), Call("ftruncate")]

    private static let captureCalls =
        [
            "wait4", "setsid", "signalfd4", "timerfd_create", "timerfd_settime", "epoll_create", "epoll_create1",
            "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "getdents64", "unlink", "unlinkat", "ftruncate",
            "fsync", "fdatasync",
            // sockets that are open
            "getsockopt", "setsockopt", "getsockname", "recvfrom", "recvmsg",
        ].map { Call($0) } + [
            // Whether an interface is up.
            .ioctl(UInt64(SIOCGIFFLAGS)),
            // The screen's terminal: TCSETS, TCSETSW, TCSETSF, and the newer three.
            .ioctl(UInt64(TCSETS)), .ioctl(UInt64(TCSETSW)), .ioctl(UInt64(TCSETSF)),
            .ioctl(0x402c_542b), .ioctl(0x402c_542c), .ioctl(0x402c_542d),
        ]

    /// Interfaces are opened again: what libpcap asks of them. The last is SIOCETHTOOL.
    private static let reopeningCalls: [Call] =
        [
            .socket(AF_PACKET), .socket(AF_NETLINK), .socket(AF_UNIX, SOCK_DGRAM), Call("bind"),
            .ioctl(UInt64(SIOCGIFNAME)), .ioctl(UInt64(SIOCGIFINDEX)), .ioctl(UInt64(SIOCGIFHWADDR)),
            .ioctl(UInt64(SIOCGIFMTU)), .ioctl(0x8946),
        ] + sendingCalls

    /// The service is on a socket that is bound, takes connections there, and answers.
    private static let serviceCalls =
        [Call("listen"), Call("accept4"), Call("shutdown"), Call("getpeername")] + sendingCalls

    /// MSG_FASTOPEN would connect.
    private static let sendingCalls = [
        Call("sendto", 3, mask: 0x2000_0000, is: 0), Call("sendmsg", 2, mask: 0x2000_0000, is: 0),
    ]

    private func filterCalls() throws(CommandFailure) {
        // SCMP_ACT_ERRNO(ENOSYS), SCMP_ACT_ALLOW
        guard let context = unsafe seccomp_init(0x0005_0000 | UInt32(ENOSYS)) else {
            return try Confinement.require(ENOMEM, "filter its system calls")
        }
        defer { unsafe seccomp_release(context) }
        var calls = Confinement.calls
        switch work {
        case .files: calls += Confinement.fileCalls
        case .interfaces(let reopened):
            calls += Confinement.captureCalls
            if reopened { calls += Confinement.reopeningCalls }
            if serves { calls += Confinement.serviceCalls }
        }
        for call in calls {
            let number = unsafe seccomp_syscall_resolve_name(call.name)
            // Negative: this architecture has none of that name.
            guard number >= 0 else { continue }
            let code = unsafe call.conditions.withUnsafeBufferPointer {
                unsafe seccomp_rule_add_array(context, 0x7fff_0000, number, UInt32($0.count), $0.baseAddress)
            }
            // Two sets of calls may have one in common.
            if code != -EEXIST { try Confinement.require(-code, "allow itself \(call.name)") }
        }
        try Confinement.require(-(unsafe seccomp_load(context)), "filter its system calls")
    }
}

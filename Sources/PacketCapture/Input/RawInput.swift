import Glibc

/// Octets as they lie in a file, or come through a pipe. A file that is followed has no end: where it has no more it is
/// waited for, until it grows, is written anew, or another takes its name (as tail -F does).
@safe final class RawInput: @unchecked Sendable {
    // Unchecked: one thread reads at a time; the others ask the system about the descriptor.

    let path: String
    private let descriptor: Int32
    /// Regular files never keep a reader waiting, unless they are followed.
    let isRegular: Bool
    private let follows: Bool
    private let isInterrupted: @Sendable () -> Bool
    /// Milliseconds between looks at a file that is followed.
    private static let interval: Int32 = 100

    init(path: String, follows: Bool, isInterrupted: @escaping @Sendable () -> Bool) throws(CaptureError) {
        self.path = path
        self.isInterrupted = isInterrupted
        if path == "-" {
            descriptor = STDIN_FILENO
        } else {
            var opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
            while opened < 0, errno == ENOENT, follows, !isInterrupted() {
                poll(nil, 0, RawInput.interval)
                opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
            }
            if opened < 0 {
                let code = errno
                throw CaptureError(
                    .unreadable, path, systemMessage(code), advice: code == EMFILE ? RawInput.descriptorAdvice : nil)
            }
            descriptor = opened
        }
        var information = stat()
        let isKnown = unsafe fstat(descriptor, &information) == 0
        if isKnown, information.st_mode & S_IFMT == S_IFDIR {
            if path != "-" { close(descriptor) }
            throw CaptureError(.unreadable, path, "is a directory", advice: "Name the capture files in it")
        }
        isRegular = isKnown && information.st_mode & S_IFMT == S_IFREG
        self.follows = follows && isRegular
        if isRegular { posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }
    }

    deinit { if path != "-" { close(descriptor) } }

    /// Files whose times overlap are open at once.
    static let descriptorAdvice = "Allow more open files (ulimit -n), or merge some of the files first (mergecap)"

    /// Whether a read may have to wait.
    var mayWait: Bool { follows || !isRegular }

    /// Whether a read would return at once.
    func hasInput() -> Bool {
        if follows { return (size ?? 0) > (position ?? 0) || isReplaced }
        if isRegular { return true }
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&request, 1, 0) != 0
    }

    /// - Returns: octets read; 0 at the end, negative (and errno) where reading failed.
    func read(into buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        while true {
            // Octets that were written before a successor came are read first: so this is asked before.
            let isReplaced = follows && isReplaced
            let got = unsafe Glibc.read(descriptor, buffer, count)
            guard got == 0, follows, !isReplaced, !isInterrupted() else { return got }
            poll(nil, 0, RawInput.interval)
        }
    }

    /// Octets of a regular file, and how far it is read; nil of anything else.
    var size: Int64? {
        var information = stat()
        guard isRegular, unsafe fstat(descriptor, &information) == 0 else { return nil }
        return Int64(information.st_size)
    }
    var position: Int64? { isRegular ? Int64(lseek(descriptor, 0, SEEK_CUR)) : nil }

    /// Reads on from there.
    func seek(to position: Int) { lseek(descriptor, off_t(position), SEEK_SET) }

    /// A regular file as it is now, in memory; nil of anything else, or where the system does not map it.
    func mapping() -> FileMapping? {
        guard !follows, let size else { return nil }
        return FileMapping(descriptor, byteCount: Int(size))
    }

    /// Whether another file has the name now, or this one was cut to be written anew.
    private var isReplaced: Bool {
        var (own, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &own) == 0 else { return true }
        if Int64(own.st_size) < position ?? 0 { return true }
        guard unsafe fstatat(AT_FDCWD, path, &named, 0) == 0 else { return false }
        return own.st_ino != named.st_ino || own.st_dev != named.st_dev
    }
}

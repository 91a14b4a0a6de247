import CLinux
import Glibc
import HandshakeReport
import PacketCapture

func exit(status: Int32) -> Never { Glibc.exit(status) }

/// Standard output cannot take more: closed by its reader (no message), or failed.
struct OutputEnded: Error {
    var message: String?
}

/// Standard output with a buffer of its own.
struct StandardOutput {
    var buffer = OutputBuffer()
    /// Whether each flush request goes out at once (`-l`, and on a terminal).
    var isLineBuffered: Bool
    static let pieceSize = 1 << 18

    init(isLineBuffered: Bool) { self.isLineBuffered = isLineBuffered || Terminal.isTerminal(STDOUT_FILENO) }

    private var writer: OutputWriter?

    /// Writes what has gathered, if it is enough or lines are to go out at once.
    mutating func flushIfFull() throws(OutputEnded) {
        if isLineBuffered { return try flush() }
        guard buffer.bytes.count >= StandardOutput.pieceSize else { return }
        if writer == nil { writer = OutputWriter() }
        guard let writer else { return try flush() }
        let (spare, code) = writer.write(buffer.take())
        buffer.reuse(spare)
        try StandardOutput.check(code)
    }

    /// Writes what has gathered, and waits until all is written.
    mutating func flush() throws(OutputEnded) {
        if let writer {
            self.writer = nil
            try StandardOutput.check(writer.finish())
        }
        let code = StandardOutput.write(buffer.bytes)
        buffer.removeAll()
        try StandardOutput.check(code)
    }

    private static func check(_ code: Int32) throws(OutputEnded) {
        if code == 0 { return }
        if code == EPIPE { throw OutputEnded(message: nil) }
        let reason = unsafe String(cString: strerror(code))
        throw OutputEnded(message: "cannot write standard output: \(reason)")
    }

    /// - Returns: 0, or the errno of what failed.
    static func write(_ octets: [UInt8]) -> Int32 {
        unsafe octets.withUnsafeBytes { piece in
            var done = 0
            while done < piece.count {
                let count = unsafe Glibc.write(STDOUT_FILENO, piece.baseAddress! + done, piece.count - done)
                if count >= 0 { done += count } else if errno != EINTR { return errno }
            }
            return 0
        }
    }
}

/// Small files.
enum TextFile {
    /// The whole of a file.
    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - most: octets that it may have.
    ///   - check: told the mode of what was opened.
    static func read(
        _ path: String, most: Int, check: (mode_t) throws(CommandFailure) -> Void = { _ in }
    ) throws(CommandFailure) -> [UInt8] {
        var octets: [UInt8] = []
        try readPieces(of: path, check: check) { piece throws(CommandFailure) in
            octets += piece
            if octets.count > most {
                throw CommandFailure(status: .unreadable, message: "\(name(path)): is larger than \(most) octets")
            }
        }
        return octets
    }

    /// Hands out a file as it is read. It must be a regular one: another may never end, or act when it is opened.
    /// - Parameters:
    ///   - path: `-` is standard input, which may be anything.
    ///   - check: told the mode of what was opened.
    static func readPieces(
        of path: String, check: (mode_t) throws(CommandFailure) -> Void = { _ in },
        _ take: (ArraySlice<UInt8>) throws(CommandFailure) -> Void
    ) throws(CommandFailure) {
        let descriptor: Int32
        if path == "-" {
            descriptor = STDIN_FILENO
        } else {
            guard let identity = FileIdentity(path) else { throw failure(path) }
            guard identity.isRegular else {
                throw CommandFailure(
                    status: .unreadable,
                    message: "\(path): is no regular file; what a pipe or device gives can be read as standard input, -"
                )
            }
            // Some of the system's own files pass for regular ones, and have readers wait.
            descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
            guard descriptor >= 0 else { throw failure(path) }
        }
        defer { if path != "-" { close(descriptor) } }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0 else { throw failure(path) }
        // It may have been exchanged since.
        guard path == "-" || information.st_mode & S_IFMT == S_IFREG else {
            throw CommandFailure(status: .unreadable, message: "\(path): is no regular file")
        }
        try check(information.st_mode)
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            try take(piece[..<count])
        }
    }

    static func write(_ octets: [UInt8], to path: String) throws(CommandFailure) {
        try OutputFile(path).write(octets)
    }

    private static func failure(_ path: String) -> CommandFailure {
        let reason = unsafe String(cString: strerror(errno))
        return CommandFailure(status: .unreadable, message: "\(name(path)): \(reason)")
    }

    /// What messages call it.
    static func name(_ path: String) -> String { path == "-" ? "standard input" : path }
}

/// Which file a path leads to, whatever it is called.
struct FileIdentity: Hashable {
    private let device: UInt64
    private let inode: UInt64
    let isRegular: Bool

    /// Equal for all paths to the file.
    var text: String { "\(device):\(inode)" }

    /// Nil where there is none.
    init?(_ path: String) {
        var information = stat()
        guard unsafe fstatat(AT_FDCWD, path, &information, 0) == 0 else { return nil }
        device = UInt64(information.st_dev)
        inode = UInt64(information.st_ino)
        isRegular = information.st_mode & S_IFMT == S_IFREG
    }
}

/// A file that was opened before there was anything to write: what is wrong with it is said at once, and rights that are
/// given up since are not needed.
final class OutputFile {
    let path: String
    private let descriptor: Int32

    /// - Parameter taken: files that must not be overwritten, since they are read or written too; gets this one.
    convenience init(_ path: String, appends: Bool = false, taken: inout Set<FileIdentity>) throws(CommandFailure) {
        func refuseIfTaken() throws(CommandFailure) {
            guard let identity = FileIdentity(path), identity.isRegular else { return }
            guard taken.insert(identity).inserted || appends else {
                throw CommandFailure(
                    status: .wrongUsage, message: "\(path) is read or written already: name another file for this")
            }
        }
        try refuseIfTaken()
        try self.init(path, appends: appends)
        if let identity = FileIdentity(path) { taken.insert(identity) }
    }

    init(_ path: String, appends: Bool = false) throws(CommandFailure) {
        self.path = path
        do throws(CaptureError) {
            descriptor = try WritableFile.open(path, appends: appends, mode: 0o666)
        } catch {
            throw CommandFailure(status: .unreadable, message: error.description)
        }
    }

    deinit { close(descriptor) }

    func write(_ octets: [UInt8]) throws(CommandFailure) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw CommandFailure(
                    status: .unreadable, message: "\(path): \(unsafe String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }
}

enum StandardDescriptors {
    /// Opens those that are closed, so that no file that is opened later takes the place of one and is given what was
    /// meant for it. Reading and writing there fail, as they do where they are closed.
    static func open() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) < 0 {
            // The system gives the lowest number that is free.
            guard unsafe Glibc.open("/dev/null", mode) == descriptor else {
                StandardError.write("descriptor \(descriptor) is closed, and /dev/null cannot be opened in its place")
                exit(status: ExitStatus.unreadable.rawValue)
            }
        }
    }
}

enum StandardError {
    /// One line, with the program's name before it.
    static func write(_ message: String) { write(line: "synscope: \(message)") }

    /// One line, and those of its own that begin with two spaces.
    static func write(line: String) { write(raw: line.cleaned(for: .message) + "\n") }

    /// What holds nothing from outside.
    static func write(raw text: String) {
        let bytes = Array(text.utf8)
        unsafe bytes.withUnsafeBytes { _ = unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

enum Terminal {
    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Columns of standard output's terminal; `COLUMNS`, else 100, where it is none.
    static var width: Int {
        let columns = Int(clinux_terminal_columns(STDOUT_FILENO))
        if columns > 0 { return columns }
        return environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 100
    }

    static func environment(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

    /// Whether the locale's characters are UTF-8.
    static var usesUnicode: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            if let value = environment(name), !value.isEmpty {
                let value = value.lowercased()
                return value.contains("utf-8") || value.contains("utf8")
            }
        }
        return false
    }
}

import CLinux
import Glibc
import HandshakeReport
import PacketCapture

/// Small files.
enum TextFile {
    /// The whole of a file.
    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - maximum: octets that it may have.
    ///   - check: told the mode of what was opened.
    static func read(
        _ path: String, maximum: Int, check: (mode_t) throws(CommandFailure) -> Void = { _ in }
    ) throws(CommandFailure) -> [UInt8] {
        var octets: [UInt8] = []
        try readPieces(of: path, check: check) { piece throws(CommandFailure) in
            octets += piece
            if octets.count > maximum {
                throw CommandFailure(status: .unreadable, message: "\(name(path)): is larger than \(maximum) octets")
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

    private static func failure(_ path: String) -> CommandFailure {
        let reason = unsafe String(cString: strerror(errno))
        return CommandFailure(status: .unreadable, message: "\(name(path)): \(reason)")
    }

    /// Its name in messages.
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

/// A file that was opened before there was anything to write: what is wrong with it is said at once, and rights that
/// are given up since are not needed.
final class OutputFile {
    let path: String
    private let descriptor: Int32
    /// Whether the file still has what was in it before.
    private var isToBeEmptied: Bool

    /// - Parameters:
    ///   - keeps: whether what is in the file stays until something is written.
    ///   - taken: files that must not be overwritten, since they are read or written too; gets this one.
    convenience init(
        _ path: String, appends: Bool = false, keeps: Bool = false, taken: inout Set<FileIdentity>
    ) throws(CommandFailure) {
        func refuseIfTaken() throws(CommandFailure) {
            guard let identity = FileIdentity(path), identity.isRegular else { return }
            guard taken.insert(identity).inserted || appends else {
                throw CommandFailure(
                    status: .wrongUsage, message: "\(path) is read or written already: name another file for this")
            }
        }
        try refuseIfTaken()
        try self.init(path, appends: appends, keeps: keeps)
        if let identity = FileIdentity(path) { taken.insert(identity) }
    }

    init(_ path: String, appends: Bool = false, keeps: Bool = false) throws(CommandFailure) {
        self.path = path
        isToBeEmptied = keeps
        do throws(CaptureError) {
            descriptor = try WritableFile.open(path, appends: appends, empties: !keeps, mode: 0o666)
        } catch {
            throw CommandFailure(status: .unreadable, message: error.description)
        }
    }

    deinit { close(descriptor) }

    func write(_ octets: [UInt8]) throws(CommandFailure) {
        // Pipes and devices have nothing that could be cut off.
        if isToBeEmptied, ftruncate(descriptor, 0) != 0, errno != EINVAL { throw failure() }
        isToBeEmptied = false
        var rest = octets[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            rest = rest.dropFirst(count)
        }
    }

    private func failure() -> CommandFailure {
        CommandFailure(status: .unreadable, message: "\(path): \(unsafe String(cString: strerror(errno)))")
    }
}

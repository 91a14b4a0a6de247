import CLinux
import Glibc
import HandshakeReport
import PacketCapture

func exit(status: Int32) -> Never { Glibc.exit(status) }

/// Standard output cannot take more: closed by its reader (no message), or failed.
struct OutputEnded: Error {
    var message: String?
}

/// Standard output, or a file in its place, with a buffer of its own.
struct StandardOutput {
    var buffer = OutputBuffer()
    /// The file in its place (`-o`).
    private let file: OutputFile?
    /// Whether each flush request goes out at once (`-l`, and on a terminal).
    var isLineBuffered: Bool
    static let pieceSize = 1 << 18

    init(isLineBuffered: Bool) {
        file = nil
        self.isLineBuffered = isLineBuffered || Terminal.isTerminal(STDOUT_FILENO)
    }

    init(_ file: OutputFile) {
        self.file = file
        isLineBuffered = false
    }

    private var writer: OutputWriter?

    /// Writes what has gathered, if it is enough or lines are to go out at once.
    mutating func flushIfFull() throws(OutputEnded) {
        if isLineBuffered { return try flush() }
        guard buffer.bytes.count >= StandardOutput.pieceSize else { return }
        if file != nil { return try flush() }
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
        if let file {
            do throws(CommandFailure) {
                try file.write(buffer.bytes)
            } catch {
                throw OutputEnded(message: error.message)
            }
            return buffer.removeAll()
        }
        let code = StandardOutput.write(buffer.bytes)
        buffer.removeAll()
        try StandardOutput.check(code)
    }

    /// - Parameter code: errno of what failed, or 0.
    static func check(_ code: Int32) throws(OutputEnded) {
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

    /// Text that holds nothing from outside.
    static func write(raw text: String) {
        let bytes = Array(text.utf8)
        unsafe bytes.withUnsafeBytes { _ = unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

import Glibc
import HandshakePipeline
import HandshakeReport
import PacketCapture

/// How far a long reading is, on one line of the terminal behind standard error; nothing where that is none.
struct ProgressBar: ReadingObserver {
    private let isWanted: Bool
    private let start = Clock.steady
    private var next: Int64
    private var calls: UInt32 = 0
    private var isDrawn = false

    /// Nanoseconds before it shows, and between its changes.
    private static let patience: Int64 = 1_000_000_000
    private static let interval: Int64 = 200_000_000

    init(isWanted: Bool) {
        self.isWanted = isWanted && Terminal.isTerminal(STDERR_FILENO) && Terminal.environment("TERM") != "dumb"
        next = start + ProgressBar.patience
    }

    /// Called for each batch; looks at the clock now and then.
    /// - Parameter progress: octets that were read, and all there are; nil where that cannot be known.
    mutating func tick(_ progress: () -> (done: Int64, all: Int64)?) {
        guard isWanted else { return }
        calls &+= 1
        guard calls & 0xff == 0 || isDrawn && calls & 0x3f == 0 else { return }
        let now = Clock.steady
        guard now >= next else { return }
        next = now + ProgressBar.interval
        guard let (done, all) = progress(), all > 0, done > 0 else { return }
        let line = Format.progress(done: done, all: all, seconds: Double(now - start) / 1e9)
        StandardError.write(raw: "\r\u{1b}[K" + line)
        isDrawn = true
    }

    /// Takes it off the terminal, before something else is written there.
    mutating func hide() {
        guard isDrawn else { return }
        isDrawn = false
        StandardError.write(raw: "\r\u{1b}[K")
    }
}

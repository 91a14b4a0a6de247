import CLinux
import Glibc
import HandshakeMonitor
import HandshakeRecord
import HandshakeReport

/// Draws the view of `--screen` on the terminal, in place, and hands it the keys.
struct Screen {
    /// Milliseconds between drawings.
    static let period: Int32 = 250

    private var view: ScreenView
    private var isOver = false

    init(_ style: TextStyle, _ capture: CaptureDescription) { view = ScreenView(style: style, capture: capture) }

    mutating func draw(_ monitor: Monitor) {
        view.take(monitor.snapshot())
        let columns = max(20, Int(clinux_terminal_columns(STDOUT_FILENO)))
        let rows = max(4, Int(clinux_terminal_rows(STDOUT_FILENO)))
        // Home; each line is written over the last one's and its rest cleared, so that nothing flickers.
        var text = "\u{1b}[H"
        let lines = view.lines(columns: columns, rows: rows)
        for (position, line) in lines.enumerated() {
            text += line + "\u{1b}[K" + (position < lines.count - 1 ? "\r\n" : "")
        }
        text += "\u{1b}[J"
        var output = StandardOutput(isLineBuffered: true)
        output.buffer.append(text)
        do { try output.flush() } catch { isOver = true }
    }

    mutating func readKeys() -> ScreenView.Action {
        if isOver { return .quit }
        var octets = [UInt8](repeating: 0, count: 256)
        // The terminal gives what there is, and does not wait.
        let count = unsafe octets.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
        guard count > 0 else { return .none }
        var action = ScreenView.Action.none
        for key in ScreenView.Key.parse(Array(octets[..<count])) where action == .none { action = view.press(key) }
        return action
    }
}

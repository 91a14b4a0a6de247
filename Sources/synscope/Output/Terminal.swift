import CLinux
import Glibc
import HandshakeReport
import PacketCapture

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

import Glibc
import PacketCapture

/// Completions of options' values.
enum Completions {
    static func interfaces(_ typed: String) -> [String] {
        let found = (try? InterfaceDescription.all()) ?? []
        return found.map(\.name).filter { $0.hasPrefix(typed) && isPlain($0) }
    }

    /// Whether a shell takes a name as it is. Bash inserts what it is offered without quotes.
    private static func isPlain(_ name: String) -> Bool { name.wholeMatch(of: /[A-Za-z0-9_.:@-]+/) != nil }

    static func zones(_ typed: String) -> [String] {
        (["UTC", "local"] + ZoneChoice.names.sorted()).filter { $0.hasPrefix(typed) }
    }

    static func users(_ typed: String) -> [String] {
        var names: [String] = []
        setpwent()
        while let entry = unsafe getpwent() { names.append(unsafe String(cString: entry.pointee.pw_name)) }
        endpwent()
        return names.filter { $0.hasPrefix(typed) && isPlain($0) }
    }

    /// Names that a list with commas can go on with.
    static func list(_ names: [String], _ typed: String) -> [String] {
        let last = typed.reversed().prefix { $0 != "," }.count
        let head = String(typed.dropLast(last))
        let taken = head.split(separator: ",").map(String.init)
        return names.filter { $0.hasPrefix(typed.suffix(last)) && !taken.contains($0) }.map { head + $0 }
    }
}

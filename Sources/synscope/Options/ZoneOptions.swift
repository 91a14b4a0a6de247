import ArgumentParser
import Glibc
import HandshakeExpectation
import HandshakeReport

/// The zone of the times that text shows.
struct ZoneOptions: ParsableArguments {
    @Option(
        name: .customLong("tz"), parsing: .unconditional,
        help: ArgumentHelp(
            "The zone of times in text: UTC, local, an offset as +02:00, or a name as Europe/Berlin. JSON and CSV are in UTC.",
            valueName: "zone"),
        completion: .custom { _, _, typed in Completions.zones(typed) },
        transform: ZoneChoice.init)
    var choice = ZoneChoice.utc

    /// To be asked for before rights are given up: the zone's file is read then.
    var zone: Zone { choice.zone }
}

/// A zone as it is asked for.
enum ZoneChoice: Equatable, CustomStringConvertible {
    case utc
    /// That of `TZ`, or of this machine.
    case local
    /// Seconds east of UTC.
    case offset(Int64)
    /// A file of the system's zones.
    case named(String)

    init(_ text: String) throws {
        if ["UTC", "Z"].contains(text.uppercased()) {
            self = .utc
        } else if text.lowercased() == "local" {
            self = .local
        } else if let seconds = ZoneChoice.offset(text) {
            self = .offset(seconds)
        } else if ZoneChoice.isZone(text) {
            self = .named(text)
        } else {
            throw ValidationError(ZoneChoice.refusal(text))
        }
    }

    var description: String {
        switch self {
        case .utc: "UTC"
        case .local: "local"
        case .offset(let seconds): Zone.text(seconds)
        case .named(let name): name
        }
    }

    var zone: Zone {
        switch self {
        case .utc: return .utc
        case .offset(let seconds): return Zone(name: description) { _ in seconds }
        case .named(let name): unsafe setenv("TZ", ":" + name, 1)
        case .local: break
        }
        // The C library has one zone for all of a process, and reads its file here.
        tzset()
        return Zone(name: description) { second in
            var time = time_t(second)
            var parts = unsafe tm()
            unsafe localtime_r(&time, &parts)
            return unsafe Int64(parts.tm_gmtoff)
        }
    }

    /// `+02:00`, `+0200` or `+02`, in seconds.
    private static func offset(_ text: String) -> Int64? {
        guard let match = text.wholeMatch(of: /([+-])([0-9]{2})(?::?([0-9]{2}))?/),
            let hours = Int64(match.2), let minutes = Int64(match.3 ?? "0"), hours < 24, minutes < 60
        else { return nil }
        return (match.1 == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    // MARK: The system's zones

    private static var folder: String {
        Terminal.environment("TZDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/usr/share/zoneinfo"
    }

    private static func isZone(_ name: String) -> Bool {
        guard name.wholeMatch(of: /[A-Za-z0-9_+\/-]+/) != nil, !name.hasPrefix("/"), !name.hasPrefix("-") else {
            return false
        }
        let octets = try? TextFile.read("\(folder)/\(name)", maximum: 1 << 20)
        // RFC 9636
        return octets?.starts(with: "TZif".utf8) == true
    }

    /// Names of zones and their aliases; none where the system has no list of them.
    static var names: [String] {
        guard let octets = try? TextFile.read("\(folder)/tzdata.zi", maximum: 1 << 22) else { return [] }
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == "Z" { return String(words[1]) }
            return words.count == 3 && words[0] == "L" ? String(words[2]) : nil
        }
    }

    private static func refusal(_ text: String) -> String {
        let names = names
        let near = names.first { $0.lowercased() == text.lowercased() } ?? NearestName.of(text, among: names)
        let hint = near.map { "; did you mean \($0)?" } ?? ""
        return
            "say UTC, local, an offset as +02:00 or -03:30, or the name of a file in \(folder), as Europe/Berlin\(hint)"
    }
}

package import HandshakeRecord
import HandshakeReport
import PacketWire

/// A closed set of names that a field can have: what is none of them is found before a packet is read.
package struct Vocabulary: Sendable, Equatable {
    /// The name of one of them: `outcome`.
    package let noun: String
    package let names: [String]
    /// Whether they can be compared with `<`: from the first, the least.
    package var isOrdered = false

    init(_ noun: String, _ names: [String], isOrdered: Bool = false) {
        precondition(names.count <= UInt128.bitWidth)
        self.noun = noun
        self.names = names
        self.isOrdered = isOrdered
    }

    func mask(_ isMember: (Int, String) -> Bool) -> UInt128 {
        names.enumerated().reduce(0) { isMember($1.offset, $1.element) ? $0 | 1 << $1.offset : $0 }
    }

    func names(in mask: UInt128) -> [String] {
        names.enumerated().filter { mask >> $0.offset & 1 == 1 }.map(\.element)
    }
}

/// The type of a record's field, for the checker and for `synscope fields`.
package enum FieldType: Sendable, Equatable {
    case number
    /// Nanoseconds.
    case duration
    /// A moment.
    case time
    case address
    case truth
    /// Any text: an identity.
    case text
    case name(Vocabulary)
    /// A share of attempts, of 1: no field's, but `ratio()`'s.
    case ratio

    package var title: String {
        switch self {
        case .number: "number"
        case .duration: "duration"
        case .time: "time"
        case .address: "address"
        case .truth: "truth value"
        case .text: "text"
        case .name(let vocabulary): vocabulary.noun
        case .ratio: "ratio"
        }
    }

    /// With an article, for a sentence.
    var phrase: String { (["a", "e", "i", "o", "u"].contains(title.first) ? "an " : "a ") + title }
}

/// A field of a record, under the name that Wireshark has for it, or one of our own under `hs.`.
package struct Field: Sendable {
    /// How it is read. Those of several values (`tcp.port`) offer each to a test, and take its best answer.
    enum Reader: Sendable {
        case number(@Sendable (AttemptRecord) -> Bounds?)
        case numbers(@Sendable (AttemptRecord, (Double) -> Truth) -> Truth)
        /// Nanoseconds since the epoch.
        case time(@Sendable (AttemptRecord) -> Int64)
        case address(@Sendable (AttemptRecord) -> IPAddress?)
        case addresses(@Sendable (AttemptRecord, (IPAddress) -> Truth) -> Truth)
        case truth(@Sendable (AttemptRecord) -> Bool?)
        case text(@Sendable (AttemptRecord) -> String?)
        /// A bit for each name that it has; nil where unknown.
        case names(@Sendable (AttemptRecord) -> UInt128?)
    }

    package let name: String
    package let type: FieldType
    /// Its path in a JSON record; nil where it is computed from several.
    package let path: String?
    package let summary: String
    let reader: Reader

    /// Whether it may have several values at a time.
    package var isMultiple: Bool {
        switch reader {
        case .numbers, .addresses: true
        case .names: path == "findings" || path == "tunnel.kinds"
        default: false
        }
    }

    /// Its value in a record, as a person would write it; `unknown` where it has none.
    package func text(of record: AttemptRecord) -> String {
        switch reader {
        case .number(let read): return read(record).map { FigureText.text($0, type) } ?? "unknown"
        case .numbers(let visit):
            var values: [String] = []
            _ = visit(record) {
                values.append(FigureText.text(Bounds($0), type))
                return .no
            }
            return "{\(values.joined(separator: ", "))}"
        case .time(let read): return Format.rfc3339(read(record))
        case .address(let read): return read(record)?.description ?? "unknown"
        case .addresses(let visit):
            var values: [String] = []
            _ = visit(record) {
                values.append($0.description)
                return .no
            }
            return "{\(values.joined(separator: ", "))}"
        case .truth(let read): return read(record).map { "\($0)" } ?? "unknown"
        case .text(let read): return read(record) ?? "unknown"
        case .names(let read):
            guard case .name(let vocabulary) = type, let mask = read(record) else { return "unknown" }
            let names = vocabulary.names(in: mask)
            return isMultiple ? "{\(names.joined(separator: ", "))}" : names.first ?? "unknown"
        }
    }
}

/// A figure of an assertion as text.
package enum FigureText {
    package static func text(_ value: Bounds, _ type: FieldType) -> String {
        value.isExact ? text(value.low, type) : "\(text(value.low, type)) to \(text(value.high, type))"
    }

    static func text(_ value: Double, _ type: FieldType) -> String {
        switch type {
        case .duration: duration(value)
        case .ratio: plain(value * 100) + "%"
        default: plain(value)
        }
    }

    /// Without a fraction where there is none, else with four digits of it at most.
    static func plain(_ value: Double) -> String {
        if value == value.rounded(), value.magnitude < 1e15 { return "\(Int64(value))" }
        guard value.magnitude < 1e9 else { return "\(value)" }
        var digits = Format.fixed(value, 4)
        while digits.last == "0" { digits.removeLast() }
        return digits.last == "." ? String(digits.dropLast()) : digits
    }

    private static func duration(_ nanoseconds: Double) -> String {
        for (size, unit) in [(1e9, "s"), (1e6, "ms"), (1e3, "us")] where nanoseconds.magnitude >= size {
            return plain(nanoseconds / size) + unit
        }
        return plain(nanoseconds) + "ns"
    }
}

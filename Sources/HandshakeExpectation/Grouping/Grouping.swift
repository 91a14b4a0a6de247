import HandshakeRecord
package import HandshakeReport
import PacketWire

/// The columns of groups: some fields of expressions, addresses by their networks, times by their minutes.
///
/// As text: `ip.dst,tcp.dstport`, `ip.src/24`, `frame.time/1m`, `hs.rtt.total/10ms`.
package struct Grouping: Sendable {
    package struct Column: Sendable {
        /// As it was written.
        package let name: String
        package let field: Field
        let step: Step
        /// How it is read of a plain attempt, without its record; nil where it takes the record.
        let quick: Quick?
    }

    enum Quick: Sendable {
        case clientAddress, serverAddress, clientPort, serverPort, version, firstTime
        /// The same of all plain attempts.
        case constant(GroupValue)

        init?(_ field: Field) {
            switch field.name {
            case "ip.src": self = .clientAddress
            case "ip.dst": self = .serverAddress
            case "tcp.srcport": self = .clientPort
            case "tcp.dstport": self = .serverPort
            case "ip.version": self = .version
            case "frame.time": self = .firstTime
            case "hs.outcome":
                guard let place = Outcome.allCases.firstIndex(of: .established) else { return nil }
                self = .constant(.name(UInt8(place)))
            case "hs.failed": self = .constant(.truth(false))
            case "hs.findings": self = .constant(.empty)
            case "hs.failed_because": self = .constant(.unknown)
            default: return nil
            }
        }
    }

    enum Step: Sendable {
        case none
        /// Bits of the prefixes of IPv4 and IPv6.
        case prefixes(Int, Int)
        /// Nanoseconds, or of the field's own unit.
        case width(Double)
    }

    /// As it was written.
    package let text: String
    package let columns: [Column]
    /// Whether every column of a plain attempt is read without its record.
    package let isQuick: Bool

    /// - Throws: what is wrong, with its place in the text.
    package init(_ text: String) throws(ExpressionError) {
        let source = Array(text.utf8)
        var columns: [Column] = []
        var start = 0
        for end in source.indices + [source.count] where end == source.count || source[end] == UInt8(ascii: ",") {
            columns.append(try Grouping.column(source, start..<end))
            start = end + 1
        }
        guard columns.count <= GroupKey.maximumColumns else {
            throw ExpressionError(
                "at most \(GroupKey.maximumColumns) fields are grouped by", at: 0..<source.count, of: source)
        }
        self.text = text
        self.columns = columns
        isQuick = columns.allSatisfy { $0.quick != nil }
    }

    /// What people type who want one of ours: the words behind the error.
    private static let hints: [String: String] = {
        var hints: [String: String] = [:]
        for (step, names) in ["1s": ["second", "seconds"], "1m": ["minute", "minutes"], "1h": ["hour", "hours"]] {
            for name in names { hints[name] = "; by time: time/\(step)" }
        }
        for name in ["day", "days", "date"] { hints[name] = "; by time: time/24h" }
        for name in ["server", "servers"] { hints[name] = "; the server: ip.dst,tcp.dstport" }
        for name in ["client", "clients"] { hints[name] = "; the client: ip.src" }
        for name in ["reason", "reasons"] { hints[name] = "; why attempts failed: hs.failed_because" }
        return hints
    }()

    private static func column(_ source: [UInt8], _ range: Range<Int>) throws(ExpressionError) -> Column {
        let text = String(decoding: source[range], as: UTF8.self).filter { $0 != " " }
        func error(_ message: String) -> ExpressionError { ExpressionError(message, at: range, of: source) }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let field = Field.named(name == "time" ? "frame.time" : name) else {
            throw error(
                name.isEmpty
                    ? "a field should stand here"
                    : "there is no field '\(name)'"
                        + (hints[name] ?? NearestName.hint(name, among: Field.all.map(\.name))))
        }
        func column(_ step: Step) -> Column {
            Column(name: text, field: field, step: step, quick: Quick(field))
        }
        switch field.type {
        case .address:
            if parts.count == 1 { return column(.none) }
            let lengths = parts.dropFirst().map { Int($0) ?? -1 }
            // One length is of the version that can have it; the other goes by its usual network.
            if lengths.count == 1, (0...32).contains(lengths[0]) { return column(.prefixes(lengths[0], 64)) }
            if lengths.count == 1, (33...128).contains(lengths[0]) { return column(.prefixes(32, lengths[0])) }
            guard lengths.count == 2, (0...32).contains(lengths[0]), (0...128).contains(lengths[1]) else {
                throw error(
                    "an address is grouped by the bits of its network: \(name)/24, \(name)/64, or of both versions \(name)/24/64"
                )
            }
            return column(.prefixes(lengths[0], lengths[1]))
        case .time, .duration:
            if parts.count == 1, field.type == .duration { return column(.none) }
            guard parts.count == 2, case .duration(let width)? = Lexer.literal(String(parts[1])), width >= 1 else {
                throw error("\(name) is grouped by a duration: \(name)/1m, \(name)/500ms")
            }
            return column(.width(width.rounded()))
        case .number:
            if parts.count == 1 { return column(.none) }
            guard parts.count == 2, case .number(let width)? = Lexer.literal(String(parts[1])), width > 0 else {
                throw error("\(name) is grouped by a number: \(name)/100")
            }
            return column(.width(width))
        case .text: throw error("\(name) is a text: group by a number, a name, an address or a time")
        case .truth, .name, .ratio:
            guard parts.count == 1 else { throw error("\(name) is \(field.type.phrase), and has no steps") }
            return column(.none)
        }
    }

    // MARK: Keys

    /// The groups that an attempt belongs to: one for each value where a field has several.
    func keys(of record: AttemptRecord, _ body: (GroupKey) -> Void) { visit(record, 0, GroupKey(), body) }

    private func visit(_ record: AttemptRecord, _ column: Int, _ key: GroupKey, _ body: (GroupKey) -> Void) {
        guard column < columns.count else { return body(key) }
        columns[column].values(of: record) { value in
            var key = key
            key[column] = value
            visit(record, column + 1, key, body)
        }
    }

    /// The group of a plain attempt, where that is read without its record.
    @inline(__always)
    func key(of plain: borrowing PlainAttempt) -> GroupKey {
        var key = GroupKey()
        for column in columns.indices {
            key[column] = columns[column].value(of: plain)
        }
        return key
    }

    /// A value of a column as text.
    package func text(_ value: GroupValue, _ column: Int, _ zone: Zone = .utc) -> String {
        switch value {
        case .unknown: "unknown"
        case .empty: "none"
        case .number(let number): FigureText.plain(number)
        case .duration(let nanoseconds): FigureText.text(Bounds(nanoseconds), .duration)
        case .time(let nanoseconds):
            zone.dateAndTime(nanoseconds) + (zone.isUTC ? "" : " \(zone.mark(nanoseconds))")
        case .address(let address): address.description
        case .network(let address, let bits): "\(address)/\(bits)"
        case .truth(let value): "\(value)"
        case .name(let place):
            if case .name(let vocabulary) = columns[column].field.type {
                vocabulary.names[Int(place)]
            } else {
                "unknown"
            }
        }
    }

    /// An expression that chooses the attempts with this value; nil where there is none.
    package func condition(_ value: GroupValue, _ column: Int) -> String? {
        let name = columns[column].field.name
        switch (value, columns[column].step) {
        case (.unknown, _): return "not known(\(name))"
        case (.empty, _): return nil
        case (.number(let low), .width(let width)):
            return "\(name) >= \(FigureText.plain(low)) and \(name) < \(FigureText.plain(low + width))"
        case (.duration(let low), .width(let width)):
            return "\(name) >= \(FigureText.plain(low))ns and \(name) < \(FigureText.plain(low + width))ns"
        case (.time(let low), .width(let width)):
            return
                "\(name) >= \"\(Format.rfc3339(low))\" and \(name) < \"\(Format.rfc3339(low &+ Int64(width)))\""
        case (.duration(let nanoseconds), _): return "\(name) == \(FigureText.plain(nanoseconds))ns"
        case (.name, _) where columns[column].field.isMultiple: return "\(name) contains \(text(value, column))"
        default: return "\(name) == \(text(value, column))"
        }
    }
}

extension Grouping.Column {
    @inline(__always)
    func value(of plain: borrowing PlainAttempt) -> GroupValue {
        switch quick {
        case .clientAddress?: address(plain.client.address)
        case .serverAddress?: address(plain.server.address)
        case .clientPort?: number(Double(plain.client.port))
        case .serverPort?: number(Double(plain.server.port))
        case .version?: .number(Double(plain.client.address.version.rawValue))
        case .firstTime?: time(plain.firstTime)
        case .constant(let value)?: value
        case nil: preconditionFailure("a column that takes the record")
        }
    }

    func values(of record: AttemptRecord, _ body: (GroupValue) -> Void) {
        var isAny = false
        func visit(_ value: GroupValue) -> Truth {
            isAny = true
            body(value)
            return .no
        }
        switch field.reader {
        case .number(let read):
            // Bounds are no one value.
            guard let bounds = read(record), bounds.isExact else { return body(.unknown) }
            body(number(bounds.low))
        case .time(let read): body(time(read(record)))
        case .numbers(let each):
            _ = each(record) { visit(number($0)) }
            if !isAny { body(.empty) }
        case .address(let read): body(read(record).map(address) ?? .unknown)
        case .addresses(let each): _ = each(record) { visit(address($0)) }
        case .truth(let read): body(read(record).map { .truth($0) } ?? .unknown)
        case .text: preconditionFailure("nothing is grouped by a text")
        case .names(let read):
            guard let mask = read(record) else { return body(.unknown) }
            if mask == 0 { return body(field.isMultiple ? .empty : .unknown) }
            for place in 0..<UInt8(128) where mask >> UInt128(place) & 1 == 1 { body(.name(place)) }
        }
    }

    @inline(__always)
    private func number(_ value: Double) -> GroupValue {
        guard case .width(let width) = step else { return field.type == .duration ? .duration(value) : .number(value) }
        let low = (value / width).rounded(.down) * width
        return field.type == .duration ? .duration(low) : .number(low)
    }

    @inline(__always)
    func time(_ nanoseconds: Int64) -> GroupValue {
        guard case .width(let width) = step else { return .time(nanoseconds) }
        let width64 = Int64(width)
        let rest = nanoseconds % width64
        return .time(nanoseconds &- (rest < 0 ? rest &+ width64 : rest))
    }

    @inline(__always)
    func address(_ address: IPAddress) -> GroupValue {
        guard case .prefixes(let v4, let v6) = step else { return .address(address) }
        if address.version == .v4 {
            let mask = v4 == 0 ? 0 : UInt32.max << UInt32(32 - v4)
            return .network(IPAddress(v4: UInt32(truncatingIfNeeded: address.low) & mask), UInt8(v4))
        }
        let high = v6 == 0 ? 0 : UInt64.max << UInt64(64 - min(v6, 64))
        let low = v6 <= 64 ? 0 : UInt64.max << UInt64(128 - v6)
        return .network(IPAddress(v6High: address.high & high, low: address.low & low), UInt8(v6))
    }
}

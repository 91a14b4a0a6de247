package import HandshakeRecord
import PacketWire

/// A record's fields by their paths in JSON: `outcome`, `rtt.total_ns`, `segments[0].kind`; a finding's by its code,
/// `syn-lost.where`.
package struct RecordFields: Sendable, Equatable {
    package enum Lookup: Equatable {
        /// One value; of an array of values all of them. Numbers in decimal, `true`, `false`, `null`.
        case value([String])
        /// The object that holds the field is null.
        case underNull(String)
        case unknown
    }

    private var values: [String: [String]]

    package init(_ record: AttemptRecord) {
        var writer = FieldCollector()
        writer.write(AttemptSchema.fields, of: ReportedAttempt(record, RecordContext()))
        values = writer.values
        for (index, finding) in record.findings.enumerated() {
            let prefix = "findings[\(index)]."
            for (path, value) in writer.values where path.hasPrefix(prefix) {
                let name = "\(finding.code.rawValue).\(path.dropFirst(prefix.count))"
                if values[name] == nil { values[name] = value }
            }
        }
    }

    /// The summary's, each with `summary.` before it.
    package init(_ summary: HandshakeSummary) {
        var writer = FieldCollector()
        JSONReport.write(summary, CaptureLoss(), to: &writer)
        values = Dictionary(uniqueKeysWithValues: writer.values.map { ("summary.\($0.key)", $0.value) })
    }

    package subscript(path: String) -> Lookup {
        if let value = values[path] { return .value(value) }
        var parent = path[...]
        while let dot = parent.lastIndex(of: ".") {
            parent = parent[..<dot]
            if values[String(parent)] == ["null"] { return .underNull(String(parent)) }
        }
        return .unknown
    }

    /// Paths that a wrong one may have meant.
    package func paths(like path: String) -> [String] {
        let last = path.split(separator: ".").last.map(String.init) ?? path
        return values.keys.filter { $0.contains(last) || path.contains($0) }.sorted().prefix(4).map { $0 }
    }
}

/// Where a report's fields go: written as JSON, or collected by path. Names need no escape.
protocol FieldWriter {
    mutating func object(_ body: (inout Self) -> Void)
    mutating func object(_ name: String, _ body: (inout Self) -> Void)
    mutating func array<Values: Sequence>(
        _ name: String, _ values: Values, _ each: (inout Self, Values.Element) -> Void)
    mutating func field(_ name: String, _ value: String?)
    mutating func field(_ name: String, _ value: Bool?)
    mutating func field(_ name: String, _ value: (some BinaryInteger)?)
    mutating func field(_ name: String, fraction value: Double)
    mutating func field(_ name: String, _ value: IPAddress)
    /// Nanoseconds since the epoch, as RFC 3339.
    mutating func field(_ name: String, time value: Int64?)
    mutating func null(_ name: String)
    mutating func list<Subject>(_ name: String, _ list: SchemaList<Subject>, of subject: Subject)
    /// Whether figures of plain attempts are marks.
    var writesTemplate: Bool { get }
    mutating func mark(_ name: String, _ figure: PlainFigure, isQuoted: Bool)
    /// A text that holds marks.
    mutating func field(_ name: String, pattern: String)
    mutating func element(_ value: String?)
    mutating func element(_ value: (some BinaryInteger)?)
}

/// Collects fields by path.
struct FieldCollector: FieldWriter {
    var values: [String: [String]] = [:]
    private var prefix = ""
    /// The next element's index.
    private var index = 0

    var writesTemplate: Bool { false }
    mutating func mark(_ name: String, _ figure: PlainFigure, isQuoted: Bool) {}
    mutating func field(_ name: String, pattern: String) {}

    mutating func list<Subject>(_ name: String, _ list: SchemaList<Subject>, of subject: Subject) {
        values[path(name)] = []
        at(path(name)) { list.collect(subject, &$0) }
    }

    private mutating func at(_ path: String, _ body: (inout FieldCollector) -> Void) {
        let (outer, outerIndex) = (prefix, index)
        prefix = path
        index = 0
        body(&self)
        (prefix, index) = (outer, outerIndex)
    }

    private func path(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix).\(name)" }

    /// An array's element.
    mutating func object(_ body: (inout FieldCollector) -> Void) {
        let position = index
        at("\(prefix)[\(position)]", body)
        index = position + 1
    }

    mutating func object(_ name: String, _ body: (inout FieldCollector) -> Void) { at(path(name), body) }

    mutating func array<Values: Sequence>(
        _ name: String, _ values: Values, _ each: (inout FieldCollector, Values.Element) -> Void
    ) {
        self.values[path(name)] = []
        at(path(name)) { collector in for value in values { each(&collector, value) } }
    }

    mutating func field(_ name: String, _ value: String?) { values[path(name)] = [value ?? "null"] }
    mutating func field(_ name: String, _ value: Bool?) { field(name, value.map { "\($0)" }) }
    mutating func field(_ name: String, _ value: (some BinaryInteger)?) { field(name, value.map { "\($0)" }) }
    mutating func field(_ name: String, fraction value: Double) { field(name, "\(value)") }
    mutating func field(_ name: String, _ value: IPAddress) { field(name, value.description) }
    mutating func field(_ name: String, time value: Int64?) { field(name, value.map(Format.rfc3339)) }
    mutating func null(_ name: String) { field(name, nil as String?) }
    mutating func element(_ value: String?) { values[prefix, default: []].append(value ?? "null") }
    mutating func element(_ value: (some BinaryInteger)?) { element(value.map { "\($0)" }) }
}

import HandshakeRecord
import PacketWire

/// The name of a field.
struct FieldName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// Writes fields into the containers of an encoder: an object's, or a list's.
struct CodingWriter: FieldWriter {
    private enum Container {
        case fields(KeyedEncodingContainer<FieldName>)
        case elements(any UnkeyedEncodingContainer)
    }

    private var container: Container
    /// The first error of the encoder; nothing is written behind it.
    private(set) var error: (any Error)?

    init(_ encoder: any Encoder) { container = .fields(encoder.container(keyedBy: FieldName.self)) }

    private init(_ container: Container) { self.container = container }

    var writesTemplate: Bool { false }
    mutating func mark(_ name: String, _ figure: PlainFigure, isQuoted: Bool) {}
    mutating func field(_ name: String, pattern: String) {}

    private mutating func put(_ name: String, _ value: some Encodable) {
        guard error == nil, case .fields(var fields) = container else { return }
        do { try fields.encode(value, forKey: FieldName(stringValue: name)) } catch { self.error = error }
        container = .fields(fields)
    }

    private mutating func putElement(_ value: some Encodable) {
        guard error == nil, case .elements(var elements) = container else { return }
        do { try elements.encode(value) } catch { self.error = error }
        container = .elements(elements)
    }

    /// Writes what is inside an object or a list.
    private mutating func inside(_ inner: Container, _ body: (inout CodingWriter) -> Void) {
        var writer = CodingWriter(inner)
        body(&writer)
        error = error ?? writer.error
    }

    mutating func object(_ body: (inout CodingWriter) -> Void) {
        guard case .elements(var elements) = container else { return }
        let inner = elements.nestedContainer(keyedBy: FieldName.self)
        container = .elements(elements)
        inside(.fields(inner), body)
    }

    mutating func object(_ name: String, _ body: (inout CodingWriter) -> Void) {
        guard case .fields(var fields) = container else { return }
        let inner = fields.nestedContainer(keyedBy: FieldName.self, forKey: FieldName(stringValue: name))
        container = .fields(fields)
        inside(.fields(inner), body)
    }

    private mutating func list(_ name: String, _ body: (inout CodingWriter) -> Void) {
        guard case .fields(var fields) = container else { return }
        let inner = fields.nestedUnkeyedContainer(forKey: FieldName(stringValue: name))
        container = .fields(fields)
        inside(.elements(inner), body)
    }

    mutating func array<Values: Sequence>(
        _ name: String, _ values: Values, _ each: (inout CodingWriter, Values.Element) -> Void
    ) { list(name) { writer in for value in values { each(&writer, value) } } }

    mutating func list<Subject>(_ name: String, _ list: SchemaList<Subject>, of subject: Subject) {
        self.list(name) { list.encode(subject, &$0) }
    }

    mutating func field(_ name: String, _ value: String?) { put(name, value) }
    mutating func field(_ name: String, _ value: Bool?) { put(name, value) }
    mutating func field(_ name: String, _ value: (some BinaryInteger)?) { put(name, value.map { Int64(clamping: $0) }) }
    mutating func field(_ name: String, fraction value: Double) { put(name, value) }
    mutating func field(_ name: String, _ value: IPAddress) { put(name, value.description) }
    mutating func field(_ name: String, time value: Int64?) { put(name, value.map(Format.rfc3339)) }
    mutating func null(_ name: String) { put(name, nil as String?) }
    mutating func element(_ value: String?) { putElement(value) }
    mutating func element(_ value: (some BinaryInteger)?) { putElement(value.map { Int64(clamping: $0) }) }
}

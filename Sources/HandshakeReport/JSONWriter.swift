package import PacketWire

/// Writes JSON (RFC 8259) straight into octets: names are written as they are, order is the caller's, nothing is built
/// first.
package struct JSONWriter: FieldWriter {
    private(set) var stage: OutputStage
    private var needsComma = false
    let writesTemplate: Bool

    init(_ stage: OutputStage, writesTemplate: Bool = false) {
        self.stage = stage
        self.writesTemplate = writesTemplate
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { stage.put(octet: 0x2c) }
        needsComma = true
    }

    /// A name, and what is between it and its value.
    @inline(__always)
    private mutating func name(_ name: String) {
        separate()
        stage.put(octet: 0x22)
        stage.put(name)
        stage.put(octet: 0x22)
        stage.put(octet: 0x3a)
    }

    @inline(__always)
    private mutating func nest(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        stage.put(octet: open)
        needsComma = false
        body(&self)
        stage.put(octet: close)
        needsComma = true
    }

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        separate()
        nest(0x7b, 0x7d, body)
    }

    package mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        nest(0x7b, 0x7d, body)
    }

    package mutating func array<Values: Sequence>(
        _ name: String, _ values: Values, _ each: (inout JSONWriter, Values.Element) -> Void
    ) {
        self.name(name)
        nest(0x5b, 0x5d) { for value in values { each(&$0, value) } }
    }

    /// An array within an array.
    package mutating func elements<Values: Sequence>(
        _ values: Values, _ each: (inout JSONWriter, Values.Element) -> Void
    ) {
        separate()
        nest(0x5b, 0x5d) { for value in values { each(&$0, value) } }
    }

    mutating func list<Subject>(_ name: String, _ list: SchemaList<Subject>, of subject: Subject) {
        self.name(name)
        nest(0x5b, 0x5d) { list.json(subject, &$0) }
    }

    mutating func mark(_ name: String, _ figure: PlainFigure, isQuoted: Bool) {
        self.name(name)
        if isQuoted { stage.put(octet: 0x22) }
        stage.put(figure.mark)
        if isQuoted { stage.put(octet: 0x22) }
    }

    mutating func field(_ name: String, pattern: String) {
        self.name(name)
        stage.put(octet: 0x22)
        stage.put(pattern)
        stage.put(octet: 0x22)
    }

    // A field of each type; nil is null.

    package mutating func field(_ name: String, _ value: String?) {
        self.name(name)
        put(value)
    }

    package mutating func field(_ name: String, _ value: Bool?) {
        self.name(name)
        switch value {
        case true?: stage.put("true")
        case false?: stage.put("false")
        case nil: stage.put("null")
        }
    }

    package mutating func field(_ name: String, _ value: (some BinaryInteger)?) {
        self.name(name)
        put(value)
    }

    package mutating func field(_ name: String, fraction value: Double) {
        self.name(name)
        stage.put("\(value)")
    }

    package mutating func field(_ name: String, _ value: IPAddress) {
        self.name(name)
        stage.put(octet: 0x22)
        stage.put(value)
        stage.put(octet: 0x22)
    }

    package mutating func field(_ name: String, time value: Int64?) {
        self.name(name)
        guard let value else { return stage.put("null") }
        stage.put(octet: 0x22)
        stage.put(time: value)
        stage.put(octet: 0x22)
    }

    package mutating func null(_ name: String) {
        self.name(name)
        stage.put("null")
    }

    package mutating func element(_ value: String?) {
        separate()
        put(value)
    }

    package mutating func element(_ value: (some BinaryInteger)?) {
        separate()
        put(value)
    }

    @inline(__always)
    private mutating func put(_ value: String?) {
        if let value { stage.put(quoted: value) } else { stage.put("null") }
    }

    @inline(__always)
    private mutating func put(_ value: (some BinaryInteger)?) {
        if let value { stage.put(value) } else { stage.put("null") }
    }
}

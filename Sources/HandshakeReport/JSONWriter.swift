/// Writes JSON (RFC 8259) straight into octets: keys are literals, order is the caller's, nothing is built first.
package struct JSONWriter: FieldWriter {
    package internal(set) var out = OutputBuffer()
    private var needsComma = false

    private mutating func separate() {
        if needsComma { out.append(octet: 0x2c) }
        needsComma = true
    }

    private mutating func key(_ key: String) {
        separate()
        string(key)
        out.append(octet: 0x3a)
        needsComma = false
    }

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        separate()
        out.append(octet: 0x7b)
        needsComma = false
        body(&self)
        out.append(octet: 0x7d)
        needsComma = true
    }

    package mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    package mutating func array<Values: Sequence>(
        _ name: String, _ values: Values, _ each: (inout JSONWriter, Values.Element) -> Void
    ) {
        key(name)
        separate()
        out.append(octet: 0x5b)
        needsComma = false
        for value in values { each(&self, value) }
        out.append(octet: 0x5d)
        needsComma = true
    }

    // A field of each type; nil is null.

    package mutating func field(_ name: String, _ value: String?) {
        key(name)
        element(value)
    }

    package mutating func field(_ name: String, _ value: Bool?) {
        key(name)
        separate()
        switch value {
        case true?: out.append("true")
        case false?: out.append("false")
        case nil: out.append("null")
        }
    }

    package mutating func field(_ name: String, _ value: (some BinaryInteger)?) {
        key(name)
        element(value)
    }

    package mutating func field(_ name: String, fraction value: Double) {
        key(name)
        separate()
        out.append("\(value)")
    }

    package mutating func null(_ name: String) {
        key(name)
        separate()
        out.append("null")
    }

    package mutating func element(_ value: String?) {
        separate()
        if let value { string(value) } else { out.append("null") }
    }

    package mutating func element(_ value: (some BinaryInteger)?) {
        separate()
        guard let value else { return out.append("null") }
        if value < 0 { out.append(octet: 0x2d) }
        out.append(decimal: UInt64(value.magnitude))
    }

    private mutating func string(_ text: String) {
        out.append(octet: 0x22)
        // Nearly all text is as it goes out: no octet of it is looked at twice.
        let isPlain = unsafe text.utf8.withContiguousStorageIfAvailable { octets in
            guard unsafe octets.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c }) else { return false }
            out.append(octets)
            return true
        }
        if isPlain != true { escaped(text) }
        out.append(octet: 0x22)
    }

    private mutating func escaped(_ text: String) {
        for octet in text.utf8 {
            switch octet {
            case 0x22: out.append("\\\"")
            case 0x5c: out.append("\\\\")
            case 0x0a: out.append("\\n")
            case 0x0d: out.append("\\r")
            case 0x09: out.append("\\t")
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                out.append("\\u00")
                out.append(octet: digits[Int(octet >> 4)])
                out.append(octet: digits[Int(octet & 15)])
            default: out.append(octet: octet)
            }
        }
    }
}

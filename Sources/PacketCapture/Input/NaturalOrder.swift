/// A name, to be ordered by its words and numbers.
struct NaturalOrder: Comparable {
    private enum Part: Comparable {
        case number(String)
        case text(String)

        static func < (a: Part, b: Part) -> Bool {
            switch (a, b) {
            case (.number(let a), .number(let b)): (a.count, a) < (b.count, b)
            case (.text(let a), .text(let b)): a < b
            case (.number, .text): true
            case (.text, .number): false
            }
        }
    }

    private let parts: [Part]

    init(_ name: String) {
        var parts: [Part] = []
        var rest = name[...]
        while let first = rest.first {
            let isDigit = first.isASCII && first.isNumber
            let word = rest.prefix { ($0.isASCII && $0.isNumber) == isDigit }
            parts.append(isDigit ? .number(String(word.drop { $0 == "0" })) : .text(String(word)))
            rest = rest[word.endIndex...]
        }
        self.parts = parts
    }

    static func < (a: NaturalOrder, b: NaturalOrder) -> Bool { a.parts.lexicographicallyPrecedes(b.parts) }
}

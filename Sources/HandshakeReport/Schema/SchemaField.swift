import PacketWire

/// A field of a record: its name, what it is, and how it is read of its subject. Every format is made of the same ones.
struct SchemaField<Subject>: Sendable {
    enum Value: Sendable {
        case integer(IntegerWidth, @Sendable (Subject) -> Int64?)
        case truth(@Sendable (Subject) -> Bool?)
        case text(@Sendable (Subject) -> String?)
        /// A text that holds figures: marks instead of them, if asked.
        case pattern(@Sendable (Subject, _ marked: Bool) -> String)
        /// One of some words.
        case word([String], @Sendable (Subject) -> String?)
        case address(@Sendable (Subject) -> IPAddress?)
        /// Nanoseconds since the epoch, written as RFC 3339.
        case time(@Sendable (Subject) -> Int64?)
        case integers(IntegerWidth, @Sendable (Subject) -> [Int64])
        case texts(@Sendable (Subject) -> [String])
        /// Fields under one name; null as a whole where it is not there.
        case object([SchemaField], isThere: @Sendable (Subject) -> Bool)
        case objects(SchemaList<Subject>)
    }

    let name: String
    let value: Value
    /// Its unit, what it means, and what it means that it is null; nil if it never is.
    let unit: String?
    let meaning: String
    let null: String?
    /// The figures that it holds of plain attempts: one, or one of each segment; nil where that is the same of all.
    let figures: [PlainFigure?]

    init(
        _ name: String, _ value: Value, _ meaning: String, unit: String? = nil, null: String? = nil,
        figures: [PlainFigure?] = []
    ) {
        (self.name, self.value, self.meaning) = (name, value, meaning)
        (self.unit, self.null, self.figures) = (unit, null, figures)
    }

    /// The same under another name.
    func named(_ name: String) -> SchemaField {
        SchemaField(name, value, meaning, unit: unit, null: null, figures: figures)
    }
}

/// Octets of a signed integer that holds every value.
package enum IntegerWidth: Int, Sendable { case four = 4, eight = 8 }

/// The elements of a list, each with fields of its own.
struct SchemaList<Subject>: Sendable {
    let json: @Sendable (Subject, inout JSONWriter) -> Void
    let collect: @Sendable (Subject, inout FieldCollector) -> Void
    let encode: @Sendable (Subject, inout CodingWriter) -> Void
    /// Words that stand for the elements where a format has no nested lists; nil if nothing does.
    let words: (@Sendable (Subject) -> [String])?
    let columns: [SchemaColumn]

    init<Element>(
        _ fields: [SchemaField<Element>], words: (@Sendable (Subject) -> [String])? = nil,
        _ elements: @escaping @Sendable (Subject) -> [Element]
    ) {
        json = { SchemaList.write(fields, of: elements($0), to: &$1) }
        collect = { SchemaList.write(fields, of: elements($0), to: &$1) }
        encode = { SchemaList.write(fields, of: elements($0), to: &$1) }
        self.words = words
        columns = fields.map(SchemaColumn.init)
    }

    private static func write<Element>(
        _ fields: [SchemaField<Element>], of elements: [Element], to writer: inout some FieldWriter
    ) {
        for (place, element) in elements.enumerated() { writer.object { $0.write(fields, of: element, place) } }
    }
}

/// What a field is, without how it is read.
package struct SchemaColumn: Sendable {
    package enum Kind: Sendable {
        case integer(IntegerWidth)
        case truth, text, address, time
        case word([String])
        case integers(IntegerWidth)
        case texts
        case object([SchemaColumn])
        case objects([SchemaColumn])
    }

    package let name: String
    package let kind: Kind
    package let unit: String?
    package let meaning: String
    package let null: String?

    init<Subject>(_ field: SchemaField<Subject>) {
        (name, unit, meaning, null) = (field.name, field.unit, field.meaning, field.null)
        kind =
            switch field.value {
            case .integer(let width, _): .integer(width)
            case .truth: .truth
            case .text, .pattern: .text
            case .word(let words, _): .word(words)
            case .address: .address
            case .time: .time
            case .integers(let width, _): .integers(width)
            case .texts: .texts
            case .object(let fields, _): .object(fields.map(SchemaColumn.init))
            case .objects(let list): .objects(list.columns)
            }
    }
}

extension FieldWriter {
    /// Writes every field of a subject.
    /// - Parameter place: the subject's, if it is an element of a list.
    mutating func write<Subject>(_ fields: [SchemaField<Subject>], of subject: Subject, _ place: Int = 0) {
        for field in fields {
            switch field.value {
            case .integer(_, let read):
                guard let value = read(subject) else { null(field.name); continue }
                if !placeFigure(field, place, isQuoted: false) { self.field(field.name, value) }
            case .truth(let read): self.field(field.name, read(subject))
            case .text(let read), .word(_, let read):
                let value = read(subject)
                if value == nil || !placeFigure(field, place, isQuoted: true) { self.field(field.name, value) }
            case .pattern(let read):
                let isMarked = writesTemplate
                if isMarked {
                    self.field(field.name, pattern: read(subject, true))
                } else {
                    self.field(field.name, read(subject, false))
                }
            case .address(let read):
                guard let value = read(subject) else { null(field.name); continue }
                if !placeFigure(field, place, isQuoted: true) { self.field(field.name, value) }
            case .time(let read):
                if !placeFigure(field, place, isQuoted: true) { self.field(field.name, time: read(subject)) }
            case .integers(_, let read): array(field.name, read(subject)) { $0.element($1) }
            case .texts(let read): array(field.name, read(subject)) { $0.element($1) }
            case .object(let fields, let isThere):
                if isThere(subject) {
                    object(field.name) { $0.write(fields, of: subject, place) }
                } else {
                    null(field.name)
                }
            case .objects(let list): self.list(field.name, list, of: subject)
            }
        }
    }

    /// Writes a mark instead of a figure, if this writes a template.
    @inline(__always)
    private mutating func placeFigure<Subject>(_ field: SchemaField<Subject>, _ place: Int, isQuoted: Bool) -> Bool {
        guard writesTemplate, place < field.figures.count, let figure = field.figures[place] else { return false }
        mark(field.name, figure, isQuoted: isQuoted)
        return true
    }
}

extension SchemaField {
    /// Its leaves, each under a name of its own: `rtt_total_ns` of `rtt` and `total_ns`. A list of objects is what its
    /// words say, or left out.
    func flattened(_ prefix: String = "") -> [SchemaField] {
        let name = prefix + self.name
        switch value {
        case .object(let fields, _): return fields.flatMap { $0.flattened("\(name)_") }
        case .objects(let list):
            return list.words.map { [SchemaField(name, .texts($0), meaning, unit: unit, null: null)] } ?? []
        default: return [named(name)]
        }
    }
}

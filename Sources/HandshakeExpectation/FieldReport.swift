package import HandshakeReport

/// The list of fields: for people, or as JSON.
package enum FieldReport {
    /// - Parameter width: columns of the output.
    package static func text(width columns: Int, to out: inout OutputBuffer) {
        let width = Field.all.map(\.name.count).max() ?? 0
        let typeWidth = Field.all.map { typeTitle($0).count }.max() ?? 0
        let indent = width + typeWidth + 4
        func row(_ name: String, _ type: String, _ summary: String, _ names: [String]?) {
            var lines = summary.wrapped(max(30, columns - indent))
            if let names {
                // Findings and situations are many.
                let list = names.count <= 16 ? names.joined(separator: ", ") : "synscope explain lists them"
                lines += "(\(list))".wrapped(max(30, columns - indent))
            }
            for (place, line) in lines.enumerated() {
                let head = place == 0 ? "\(name.padded(width))  \(type.padded(typeWidth))  " : ""
                out.line(head.padded(indent) + line)
            }
        }
        for field in Field.all { row(field.name, typeTitle(field), field.summary, names(field)) }
        for field in CaptureField.allCases { row(field.rawValue, "names", field.summary, field.codes) }
    }

    package static func json(to out: inout OutputBuffer) {
        for field in Field.all {
            JSONReport.write(to: &out) { json in
                json.object {
                    $0.field("name", field.name)
                    $0.field("type", field.typeName)
                    $0.field("several", field.isMultiple)
                    $0.field("path", field.path)
                    $0.field("summary", field.summary)
                    if let names = names(field) { $0.array("names", names) { $0.element($1) } }
                }
            }
        }
        for field in CaptureField.allCases {
            JSONReport.write(to: &out) { json in
                json.object {
                    $0.field("name", field.rawValue)
                    $0.field("type", "name")
                    $0.field("several", true)
                    $0.field("path", field.rawValue)
                    $0.field("summary", field.summary)
                    $0.array("names", field.codes) { $0.element($1) }
                }
            }
        }
    }

    private static func typeTitle(_ field: Field) -> String {
        guard field.isMultiple else { return field.type.title }
        return field.type == .address ? "addresses" : field.type.title + "s"
    }

    private static func names(_ field: Field) -> [String]? {
        if case .name(let vocabulary) = field.type { vocabulary.names } else { nil }
    }
}

extension Field {
    /// `name` for every closed set of names.
    var typeName: String {
        if case .name = type { "name" } else { type.title }
    }
}

package import HandshakeReport

/// The list of fields: for people, or as JSON.
package enum FieldReport {
    package static func text(to out: inout OutputBuffer) {
        let width = Field.all.map(\.name.count).max() ?? 0
        let typeWidth = Field.all.map { typeTitle($0).count }.max() ?? 0
        for field in Field.all {
            out.line("\(field.name.padded(width))  \(typeTitle(field).padded(typeWidth))  \(field.summary)")
            if let names = names(field) {
                // Findings are many.
                let list = names.count <= 16 ? names.joined(separator: ", ") : "synscope explain lists them"
                out.line("\("".padded(width + typeWidth + 4))(\(list))")
            }
        }
        for field in CaptureField.allCases {
            out.line("\(field.rawValue.padded(width))  \("names".padded(typeWidth))  \(field.summary)")
            // Situations are many.
            let list = field.codes.count <= 16 ? field.codes.joined(separator: ", ") : "synscope explain lists them"
            out.line("\("".padded(width + typeWidth + 4))(\(list))")
        }
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

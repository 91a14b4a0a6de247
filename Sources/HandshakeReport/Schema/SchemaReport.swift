/// `synscope schema`: the fields of attempts, for people and as column types for what loads them.
package enum SchemaReport {
    /// A reader of records.
    package enum Reader: String, CaseIterable, Sendable { case duckdb, polars, arrow, spark, jsonschema, markdown }

    /// - Parameter columns: the chosen fields; nil for all, nested.
    package static func write(_ reader: Reader, _ columns: ChosenColumns?, to out: inout OutputBuffer) {
        let columns = columns.map { $0.fields.map(SchemaColumn.init) } ?? AttemptSchema.columns
        switch reader {
        case .duckdb:
            out.line("{" + columns.map { "\($0.name): '\(DuckDB.type($0.kind))'" }.joined(separator: ", ") + "}")
        case .polars: out.line(fields(columns, "{", "}", Polars.type))
        case .arrow: out.line("pa.schema([" + Arrow.fields(columns) + "])")
        case .spark: out.line(columns.map { "\($0.name) \(Spark.type($0.kind))" }.joined(separator: ", "))
        case .jsonschema: jsonSchema(columns, to: &out)
        case .markdown: markdown(columns, to: &out)
        }
    }

    /// Every field under its flat name, with what it means.
    package static func text(_ columns: ChosenColumns?, width: Int, to out: inout OutputBuffer) {
        let columns = columns.map { $0.fields.map(SchemaColumn.init) } ?? AttemptSchema.flatColumns
        let names = columns.map(\.name.count).max() ?? 0
        let types = columns.map { title($0).count }.max() ?? 0
        for column in columns {
            let null = column.null.map { " Null: \($0)." } ?? ""
            let lines = (column.meaning + null).wrapped(max(30, width - names - types - 4))
            for (place, line) in lines.enumerated() {
                let head = place == 0 ? "\(column.name.padded(names))  \(title(column).padded(types))  " : ""
                out.line(head.padded(names + types + 4) + line)
            }
        }
    }

    /// The type in a word or two, and the unit.
    private static func title(_ column: SchemaColumn) -> String {
        let type =
            switch column.kind {
            case .integer(.four): "int32"
            case .integer(.eight): "int64"
            case .truth: "boolean"
            case .text, .word: "string"
            case .address: "address"
            case .time: "RFC 3339"
            case .integers(.four): "int32 list"
            case .integers(.eight): "int64 list"
            case .texts: "string list"
            case .object: "object"
            case .objects: "object list"
            }
        return column.unit.map { "\(type), \($0)" } ?? type
    }

    // MARK: Types

    /// `{name: type, ...}` with names in quotation marks, as Python has it.
    private static func fields(
        _ columns: [SchemaColumn], _ open: String, _ close: String, _ type: (SchemaColumn.Kind) -> String
    ) -> String { open + columns.map { "\"\($0.name)\": \(type($0.kind))" }.joined(separator: ", ") + close }

    private enum DuckDB {
        static func type(_ kind: SchemaColumn.Kind) -> String {
            switch kind {
            case .integer(.four): "INTEGER"
            case .integer(.eight): "BIGINT"
            case .truth: "BOOLEAN"
            case .text, .word, .address: "VARCHAR"
            case .time: "TIMESTAMP"
            case .integers(let width): "\(type(.integer(width)))[]"
            case .texts: "VARCHAR[]"
            case .object(let columns): structure(columns)
            case .objects(let columns): structure(columns) + "[]"
            }
        }

        private static func structure(_ columns: [SchemaColumn]) -> String {
            // Names as from and where are words of SQL.
            "STRUCT(" + columns.map { "\"\($0.name)\" \(type($0.kind))" }.joined(separator: ", ") + ")"
        }
    }

    private enum Polars {
        static func type(_ kind: SchemaColumn.Kind) -> String {
            switch kind {
            case .integer(.four): "pl.Int32"
            case .integer(.eight): "pl.Int64"
            case .truth: "pl.Boolean"
            case .text, .word, .address, .time: "pl.String"
            case .integers(let width): "pl.List(\(type(.integer(width))))"
            case .texts: "pl.List(pl.String)"
            case .object(let columns): fields(columns, "pl.Struct({", "})", type)
            case .objects(let columns): "pl.List(\(type(.object(columns))))"
            }
        }
    }

    private enum Arrow {
        static func fields(_ columns: [SchemaColumn]) -> String {
            columns.map { "(\"\($0.name)\", \(type($0.kind)))" }.joined(separator: ", ")
        }

        static func type(_ kind: SchemaColumn.Kind) -> String {
            switch kind {
            case .integer(.four): "pa.int32()"
            case .integer(.eight): "pa.int64()"
            case .truth: "pa.bool_()"
            case .text, .word, .address: "pa.string()"
            case .time: "pa.timestamp(\"ns\", \"UTC\")"
            case .integers(let width): "pa.list_(\(type(.integer(width))))"
            case .texts: "pa.list_(pa.string())"
            case .object(let columns): "pa.struct([\(fields(columns))])"
            case .objects(let columns): "pa.list_(\(type(.object(columns))))"
            }
        }
    }

    private enum Spark {
        static func type(_ kind: SchemaColumn.Kind) -> String {
            switch kind {
            case .integer(.four): "INT"
            case .integer(.eight): "BIGINT"
            case .truth: "BOOLEAN"
            case .text, .word, .address: "STRING"
            case .time: "TIMESTAMP"
            case .integers(let width): "ARRAY<\(type(.integer(width)))>"
            case .texts: "ARRAY<STRING>"
            case .object(let columns):
                "STRUCT<" + columns.map { "`\($0.name)`: \(type($0.kind))" }.joined(separator: ", ") + ">"
            case .objects(let columns): "ARRAY<\(type(.object(columns)))>"
            }
        }
    }

    // MARK: JSON Schema

    private static func jsonSchema(_ columns: [SchemaColumn], to out: inout OutputBuffer) {
        JSONReport.write(to: &out) { json in
            json.object {
                $0.field("$schema", "https://json-schema.org/draft/2020-12/schema")
                $0.field("$id", "urn:synscope:attempt:\(AttemptSchema.version)")
                $0.field("title", "A line of synscope -T jsonl, version \(AttemptSchema.version)")
                object(columns, isNullable: false, to: &$0)
            }
        }
    }

    private static func object(_ columns: [SchemaColumn], isNullable: Bool, to json: inout JSONWriter) {
        type("object", isNullable, &json)
        json.object("properties") {
            for column in columns { $0.object(column.name) { property(column, to: &$0) } }
        }
        json.array("required", columns) { $0.element($1.name) }
        json.field("additionalProperties", false)
    }

    private static func type(_ name: String, _ isNullable: Bool, _ json: inout JSONWriter) {
        if isNullable { json.array("type", [name, "null"]) { $0.element($1) } } else { json.field("type", name) }
    }

    private static func property(_ column: SchemaColumn, to json: inout JSONWriter) {
        let isNullable = column.null != nil
        json.field("description", column.meaning + (column.null.map { " Null: \($0)." } ?? ""))
        switch column.kind {
        case .integer: type("integer", isNullable, &json)
        case .truth: type("boolean", isNullable, &json)
        case .text, .address: type("string", isNullable, &json)
        case .time:
            type("string", isNullable, &json)
            json.field("format", "date-time")
        case .word(let words): json.array("enum", words + (isNullable ? [nil] : [])) { $0.element($1) }
        case .integers:
            json.field("type", "array")
            json.object("items") { $0.field("type", "integer") }
        case .texts:
            json.field("type", "array")
            json.object("items") { $0.field("type", "string") }
        case .object(let columns): object(columns, isNullable: isNullable, to: &json)
        case .objects(let columns):
            json.field("type", "array")
            json.object("items") { object(columns, isNullable: false, to: &$0) }
        }
    }

    // MARK: Markdown

    private static func markdown(_ columns: [SchemaColumn], to out: inout OutputBuffer) {
        out.line("| field | type | means | null |")
        out.line("| --- | --- | --- | --- |")
        rows(columns, "", to: &out)
    }

    private static func rows(_ columns: [SchemaColumn], _ prefix: String, to out: inout OutputBuffer) {
        for column in columns {
            let name = prefix + column.name
            out.line("| `\(name)` | \(title(column)) | \(column.meaning) | \(column.null ?? "never") |")
            switch column.kind {
            case .object(let inner): rows(inner, name + ".", to: &out)
            case .objects(let inner): rows(inner, name + "[].", to: &out)
            default: break
            }
        }
    }
}

public import Foundation

/// A finished process.
public struct Run {
    public var status: Int32
    public var octets: [UInt8]
    public var output: String { String(decoding: octets, as: UTF8.self) }
    public var errors: String

    /// - Parameter input: what its standard input reads; none where nil.
    public init(
        _ arguments: [String], executable: URL = Place.synscope, input: [UInt8]? = nil,
        environment: [String: String] = [:]
    ) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { own, _ in own }
        ) { _, new in new }
        // Files, not pipes: no reader has to keep up.
        let folder = try TemporaryFolder("synscope-run-")
        func file(_ name: String, _ bytes: [UInt8] = []) throws -> URL {
            URL(filePath: try folder.write(name, bytes))
        }
        let (out, err) = (try file("out"), try file("err"))
        process.standardInput = try FileHandle(forReadingFrom: try file("in", input ?? []))
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        try process.run()
        process.waitUntilExit()
        status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        octets = Array(try Data(contentsOf: out))
        errors = String(decoding: try Data(contentsOf: err), as: UTF8.self)
    }

    public static func shell(_ script: String) throws -> Run {
        try Run(["-c", script], executable: URL(filePath: "/bin/sh"), environment: ["SYNSCOPE": Place.synscope.path])
    }
}

public import Foundation

/// A folder that goes when it is no longer used.
public final class TemporaryFolder {
    public let url: URL

    /// - Parameter name: what its name begins with.
    public init(_ name: String = "synscope-") throws {
        url = FileManager.default.temporaryDirectory.appending(path: name + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    public func path(_ name: String) -> String { url.appending(path: name).path }

    /// The names of what is in it, in order.
    public var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path).sorted()) ?? [] }

    /// A file's octets; none where there is no such file.
    public func data(_ name: String) -> [UInt8] {
        FileManager.default.contents(atPath: path(name)).map(Array.init) ?? []
    }

    /// - Returns: the file's path.
    @discardableResult
    public func write(_ name: String, _ octets: [UInt8]) throws -> String {
        try Data(octets).write(to: url.appending(path: name))
        return path(name)
    }

    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
}

/// A file that goes when it is no longer used.
public final class TemporaryFile {
    public let path: String

    public init(_ octets: [UInt8]) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "synscope-\(UUID().uuidString)").path
        try Data(octets).write(to: URL(filePath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

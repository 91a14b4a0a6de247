public import Foundation

/// Where things are.
public enum Place {
    public static let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    public static let captures = project.appending(path: "Captures")
    /// The executable beside the test bundle.
    public static let synscope = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
        path: "synscope")

    public static func capture(_ name: String) -> String { captures.appending(path: name).path }
}

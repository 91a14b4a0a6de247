import Foundation
import PackagePlugin

/// Makes Swift strings of the files in a target's folder Page: `PageFiles.report_js` of `report.js`. The package
/// manager's own way makes an array literal of each, which takes the compiler more than a millisecond an octet.
@main
struct EmbedText: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "Page")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        let output = context.pluginWorkDirectoryURL.appending(path: "PageFiles.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(target.name)/Page", executable: URL(fileURLWithPath: "/bin/sh"),
                arguments: ["-c", EmbedText.script, output.path()] + files.map { $0.path() },
                inputFiles: files, outputFiles: [output])
        ]
    }

    /// $0 is the file to write, the others are those that are read.
    private static let script = #####"""
        {
            echo 'enum PageFiles {'
            for file in "$@"; do
                name=$(basename "$file" | tr '.-' '__')
                printf 'static let %s: StaticString = ####"""\n' "$name"
                cat "$file"
                printf '"""####\n'
            done
            echo '}'
        } > "$0"
        """#####
}

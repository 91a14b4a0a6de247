import Fixtures
import Foundation

// make-captures DIRECTORY          writes the made captures of Captures/
// make-captures --workload w1|w3 COUNT FILE    writes a capture for measuring

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--workload" {
    let words = Array(arguments.dropFirst())
    guard words.count == 3, let count = Int(words[1]) else {
        FileHandle.standardError.write(Data("usage: make-captures --workload w1|w3 COUNT FILE\n".utf8))
        exit(2)
    }
    _ = FileManager.default.createFile(atPath: words[2], contents: nil)
    let file = try FileHandle(forWritingTo: URL(filePath: words[2]))
    var workload = Workload { try file.write(contentsOf: Data($0)) }
    if words[0] == "w1" { try workload.manyConnections(count) } else { try workload.flood(count) }
    try file.close()
} else if let directory = arguments.first {
    for capture in MadeCapture.all {
        try Data(capture.bytes()).write(to: URL(filePath: directory).appending(path: capture.fileName))
    }
} else {
    FileHandle.standardError.write(Data("usage: make-captures DIRECTORY\n".utf8))
    exit(2)
}

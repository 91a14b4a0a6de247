import Fixtures
import Foundation

// make-workload w1|w3 COUNT FILE: writes a capture for measuring
let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 3, let kind = arguments.first, ["w1", "w3"].contains(kind),
    let count = Int(arguments[2]), let path = arguments.last
else {
    FileHandle.standardError.write(Data("usage: make-workload w1|w3 COUNT FILE\n".utf8))
    exit(2)
}
_ = FileManager.default.createFile(atPath: path, contents: nil)
let file = try FileHandle(forWritingTo: URL(filePath: path))
var workload = Workload { try file.write(contentsOf: Data($0)) }
if kind == "w1" { try workload.manyConnections(count) } else { try workload.flood(count) }
try file.close()

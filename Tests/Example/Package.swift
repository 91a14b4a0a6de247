// swift-tools-version: 6.2
import PackageDescription

// A package that tests its server's handshakes with SynscopeTesting: what CI builds and runs, and a start for yours,
// where the dependency is .package(url: ..., from: ...).
let package = Package(
    name: "example",
    dependencies: [.package(name: "synscope", path: "../..")],
    targets: [
        .testTarget(name: "ServerTests", dependencies: [.product(name: "SynscopeTesting", package: "synscope")])
    ]
)

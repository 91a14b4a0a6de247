// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "outside",
    dependencies: [.package(name: "synscope", path: "../../..", traits: [])],
    targets: [
        .executableTarget(
            name: "Program",
            dependencies: [
                .product(name: "HandshakeReport", package: "synscope"),
                .product(name: "HandshakeCapture", package: "synscope"),
            ])
    ]
)

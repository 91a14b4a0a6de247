// swift-tools-version: 6.2
import PackageDescription

// CI builds with SYNSCOPE_WERROR=1: a warning then fails the build. It is not on by default, so that a newer compiler's
// new warnings cannot stop a user's build.
let warnings: [SwiftSetting] =
    Context.environment["SYNSCOPE_WERROR"] == "1" ? [.treatAllWarnings(as: .error)] : []

let testSettings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + warnings

let settings: [SwiftSetting] = [.strictMemorySafety()] + testSettings

// Fuzz targets need a sanitizer's main: they are built by make fuzz alone, which sets SYNSCOPE_FUZZ=1.
let fuzzers: [(name: String, folder: String, dependencies: [Target.Dependency])] = [
    ("fuzz-capture", "Capture", ["PacketCapture", "HandshakeAnalysis", "HandshakeReport", "PacketWire"]),
    ("fuzz-frame", "Frame", ["HandshakeAnalysis", "HandshakeReport", "PacketWire"]),
    ("fuzz-expression", "Expression", ["FuzzInputs", "HandshakeExpectation", "HandshakeReport", "HandshakeAnalysis"]),
    ("fuzz-rules", "Rules", ["FuzzInputs", "HandshakeExpectation", "HandshakeReport"]),
    ("fuzz-scenario", "Scenario", ["FuzzInputs", "HandshakeScenario", "HandshakeReport", "HandshakeAnalysis"]),
    (
        "fuzz-http", "HTTP",
        [
            "FuzzInputs", "HandshakeService", "HandshakeMonitor", "HandshakeReport", "HandshakeAnalysis",
            .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Command"])),
            .product(name: "NIOEmbedded", package: "swift-nio", condition: .when(traits: ["Command"])),
        ]
    ),
]
let fuzzing: [Target] =
    Context.environment["SYNSCOPE_FUZZ"] != "1"
    ? []
    : [
        .target(
            name: "FuzzInputs",
            dependencies: ["HandshakeScenario", "HandshakeExpectation", "HandshakeReport", "HandshakeAnalysis"],
            path: "Tests/Fuzz/Inputs", swiftSettings: testSettings)
    ]
        + fuzzers.map { name, folder, dependencies in
            .executableTarget(
                name: name, dependencies: dependencies, path: "Tests/Fuzz/\(folder)",
                swiftSettings: testSettings + [.unsafeFlags(["-parse-as-library"])])
        }

let package = Package(
    name: "synscope",
    products: [
        .library(name: "PacketWire", targets: ["PacketWire"]),
        .library(name: "HandshakeRecord", targets: ["HandshakeRecord"]),
        .library(name: "HandshakeAnalysis", targets: ["HandshakeAnalysis"]),
        .library(name: "HandshakeDiagnosis", targets: ["HandshakeDiagnosis"]),
        .library(name: "HandshakeReport", targets: ["HandshakeReport"]),
        .library(name: "HandshakeCapture", targets: ["HandshakeCapture"]),
        .library(name: "SynscopeTesting", targets: ["SynscopeTesting"]),
        .executable(name: "synscope", targets: ["synscope"]),
    ],
    // Who depends on the libraries alone says `traits: []`, and fetches no other package.
    traits: [
        .default(enabledTraits: ["Command", "Expectations"]),
        .trait(name: "Command", description: "The command synscope: its flags, and HTTP for --listen."),
        .trait(name: "Expectations", description: "SynscopeTesting: rules files are YAML."),
    ],
    dependencies: [
        // Exact, so that a build is of what was tested: docs/architecture.md lists them with their licences, and
        // those that they bring along. Scripts/proof/dependency-versions.py compares the list with what was resolved.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CLz4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "CLinux"),
        // Lifetimes: the parser is a value that borrows the frame's bytes.
        .target(name: "PacketWire", swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
        // Records of attempts, the summary of a capture, and their words: plain values.
        .target(
            name: "HandshakeRecord", dependencies: ["PacketWire"], swiftSettings: settings,
            // Rounding, where the processor is not asked to do it.
            linkerSettings: [.linkedLibrary("m")]),
        .target(
            name: "HandshakeAnalysis", dependencies: ["HandshakeRecord", "PacketWire", "CLinux"],
            swiftSettings: settings),
        // Threads, bounded queues, and the ring of slots between stages.
        .target(name: "WorkerThreads", dependencies: ["CLinux"], swiftSettings: settings),
        .target(
            name: "PacketCapture",
            dependencies: ["CPcap", "CZlib", "CZstd", "CLz4", "CLinux", "PacketWire", "WorkerThreads"],
            swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
        // Frames in, decided attempts out: one thread, several, live.
        .target(
            name: "HandshakePipeline",
            dependencies: [
                "CLinux", "HandshakeRecord", "HandshakeAnalysis", "PacketCapture", "PacketWire", "WorkerThreads",
            ],
            swiftSettings: settings),
        // What many attempts together say: situations, their scopes, times and contrasts.
        .target(
            name: "HandshakeDiagnosis", dependencies: ["HandshakeRecord", "PacketWire"], swiftSettings: settings),
        // Captures at several points, put together: what happened between them.
        .target(
            name: "HandshakeComparison", dependencies: ["HandshakeRecord", "PacketWire"], swiftSettings: settings),
        .target(
            name: "HandshakeReport",
            dependencies: ["HandshakeRecord", "HandshakeDiagnosis", "HandshakeComparison", "PacketWire"],
            swiftSettings: settings),
        .target(
            name: "HandshakeScenario",
            dependencies: ["PacketWire", "HandshakeRecord", "HandshakeAnalysis", "HandshakeReport"],
            swiftSettings: settings),
        // Expressions over records, assertions and rules over all of them, and what came of them.
        .target(
            name: "HandshakeExpectation",
            dependencies: [
                "HandshakeRecord", "HandshakeDiagnosis", "HandshakeReport", "PacketWire",
                .product(name: "Yams", package: "Yams", condition: .when(traits: ["Expectations"])),
            ],
            swiftSettings: settings),
        // Pages of HTML: a report to hand on, and the parts that it shares with the live page.
        .target(
            name: "HandshakePage",
            dependencies: [
                "HandshakeRecord", "HandshakeDiagnosis", "HandshakeReport", "HandshakeExpectation", "PacketWire",
            ],
            exclude: ["Page"], swiftSettings: settings, plugins: ["EmbedText"]),
        .plugin(name: "EmbedText", capability: .buildTool(), path: "Sources/EmbedText"),
        // What a live run knows at a moment: totals, rates, the worst, the recent. Pure, but for the lock around it.
        .target(
            name: "HandshakeMonitor",
            dependencies: ["HandshakeRecord", "HandshakeDiagnosis", "HandshakeReport", "PacketWire"],
            swiftSettings: settings),
        .target(
            name: "HandshakeService",
            dependencies: [
                "HandshakeMonitor", "HandshakePage", "HandshakeReport", "HandshakeRecord", "PacketWire", "CLinux",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Command"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Command"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Command"])),
            ],
            exclude: ["Page"], swiftSettings: settings, plugins: ["EmbedText"]),
        // For other programs: the attempts of files and interfaces.
        .target(
            name: "HandshakeCapture",
            dependencies: [
                "HandshakeAnalysis", "HandshakeDiagnosis", "HandshakePipeline", "HandshakeRecord", "HandshakeReport",
                "PacketCapture", "PacketWire", "WorkerThreads",
            ],
            swiftSettings: settings),
        // For Swift tests of other packages: expectations on the handshakes of a capture.
        .target(
            name: "SynscopeTesting",
            dependencies: [
                "HandshakeCapture", "HandshakeDiagnosis", "HandshakeExpectation", "HandshakeRecord", "HandshakeReport",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "synscope",
            dependencies: [
                "CLinux", "CSeccomp", "WorkerThreads", "PacketWire", "HandshakeRecord", "HandshakeAnalysis",
                "HandshakePipeline",
                "HandshakeDiagnosis", "HandshakeComparison", "PacketCapture",
                "HandshakeReport", "HandshakePage", "HandshakeScenario", "HandshakeExpectation", "HandshakeMonitor",
                "HandshakeService",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["Command"])),
            ],
            swiftSettings: settings),

        // What tests share: random numbers, temporary folders, processes, SYNs, frames in batches.
        .target(
            name: "TestSupport", dependencies: ["PacketWire"], path: "Tests/Support/TestSupport",
            swiftSettings: testSettings),
        // Conversations written in Swift, and the traffic that benchmarks measure.
        .target(
            name: "Fixtures", dependencies: ["TestSupport", "PacketWire", "HandshakeAnalysis"],
            path: "Tests/Support/Fixtures",
            swiftSettings: testSettings),
        .executableTarget(
            name: "make-workload", dependencies: ["Fixtures"], path: "Tests/Support/MakeWorkload",
            swiftSettings: testSettings),
        // Worlds of which the truth is known, and its comparison with the analysis. Shares no code with the tracker.
        .target(
            name: "Simulation",
            dependencies: [
                "TestSupport", "HandshakeScenario", "HandshakeDiagnosis", "HandshakeComparison", "HandshakeAnalysis",
                "PacketWire",
            ],
            path: "Tests/Support/Simulation", swiftSettings: testSettings),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", "HandshakeDiagnosis", "HandshakeScenario", "PacketCapture", "PacketWire"],
            path: "Tests/Support/Simulate", swiftSettings: testSettings),
        .testTarget(
            name: "PacketWireTests", dependencies: ["PacketWire", "TestSupport"], exclude: ["Independent"],
            swiftSettings: testSettings),
        .testTarget(
            name: "HandshakeRecordTests", dependencies: ["HandshakeRecord", "PacketWire"],
            swiftSettings: testSettings),
        .testTarget(
            name: "HandshakeAnalysisTests",
            dependencies: [
                "HandshakeAnalysis", "HandshakeReport", "HandshakeScenario", "PacketWire", "Fixtures", "TestSupport",
            ],
            exclude: ["Golden"], swiftSettings: testSettings),
        .testTarget(
            name: "PacketCaptureTests",
            dependencies: ["PacketCapture", "PacketWire", "WorkerThreads", "Fixtures", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "HandshakePipelineTests",
            dependencies: [
                "HandshakePipeline", "HandshakeRecord", "HandshakeAnalysis", "PacketCapture", "PacketWire",
                "WorkerThreads", "Fixtures", "TestSupport",
            ],
            swiftSettings: testSettings),
        .testTarget(name: "WorkerThreadsTests", dependencies: ["WorkerThreads"], swiftSettings: testSettings),
        .testTarget(
            name: "HandshakeReportTests",
            dependencies: ["HandshakeReport", "HandshakeScenario", "HandshakeAnalysis", "Fixtures"],
            swiftSettings: testSettings),
        .testTarget(
            name: "ScenarioTests",
            dependencies: ["Simulation", "HandshakeScenario", "HandshakeReport", "HandshakeAnalysis", "PacketWire"],
            swiftSettings: testSettings),
        .testTarget(
            name: "DiagnosisTests",
            dependencies: [
                "HandshakeDiagnosis", "HandshakeRecord", "HandshakeAnalysis", "HandshakeScenario", "PacketWire",
                "Simulation",
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "ComparisonTests",
            dependencies: [
                "HandshakeComparison", "HandshakeAnalysis", "HandshakeRecord", "PacketWire", "Simulation",
                "TestSupport",
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Simulation", "HandshakeScenario", "HandshakeReport", "HandshakeAnalysis", "PacketWire"],
            swiftSettings: testSettings),
        .testTarget(
            name: "ExpectationTests",
            dependencies: [
                "HandshakeExpectation", "HandshakeScenario", "HandshakeReport", "HandshakeAnalysis",
                "HandshakeCapture", "HandshakeDiagnosis", "Simulation", "SynscopeTesting", "TestSupport",
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "HandshakePageTests",
            dependencies: ["HandshakePage", "HandshakeReport", "HandshakeRecord", "PacketWire", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "MonitorTests",
            dependencies: [
                "HandshakeMonitor", "HandshakeDiagnosis", "HandshakeAnalysis", "HandshakeReport", "PacketWire",
                "Fixtures",
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "HandshakeService", "HandshakeMonitor", "HandshakeReport", "HandshakeAnalysis", "Fixtures",
                "TestSupport",
                "CLinux", .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Command"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Command"])),
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "CommandTests", dependencies: ["synscope", "CLinux", "Fixtures", "TestSupport"],
            swiftSettings: testSettings),
    ] + fuzzing,
    swiftLanguageModes: [.v6]
)

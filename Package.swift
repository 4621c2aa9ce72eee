// swift-tools-version: 6.3
import PackageDescription

/// Applied to every Swift target, tests included.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Applied to every C target.
let strictC: [CSetting] = [
    .define("_GNU_SOURCE"),
    .enableWarning("all"), .enableWarning("extra"), .enableWarning("conversion"),
    .treatAllWarnings(as: .error),
]

/// What the fuzzed code and its harness need.
let fuzzed: [Target.Dependency] = [
    "COpenSSL", "Authentication", "FTPProtocol", "FileSystem", "Isolation", "LinuxSystem",
    "Portcullis", "TLS", "TestSupport", .product(name: "Logging", package: "swift-log"),
]

/// `make fuzz` builds a program that finds inputs; everybody else, tests that replay known ones.
let fuzzing: [Target] =
    Context.environment["PORTCULLIS_FUZZING"] == nil
    ? [
        .testTarget(
            name: "FuzzingTests",
            dependencies: fuzzed,
            path: "Tests/Fuzzing",
            exclude: ["CFuzzer", "Corpus", "Dictionaries", "Driver"],
            sources: ["Targets", "Replay"],
            swiftSettings: strict
        )
    ]
    : [
        .target(name: "CFuzzer", path: "Tests/Fuzzing/CFuzzer", cSettings: strictC),
        .executableTarget(
            name: "fuzz",
            dependencies: ["CFuzzer"] + fuzzed,
            path: "Tests/Fuzzing",
            exclude: ["CFuzzer", "Corpus", "Dictionaries", "Replay"],
            sources: ["Targets", "Driver"],
            swiftSettings: strict
        ),
    ]

/// Programs that show how the library is used, one directory in Sources/Examples each.
let examples: [Target] =
    [
        "BehindNAT", "HashedPasswords", "HookedServer", "InMemoryFileSystem", "MinimalServer",
        "MovingUploads", "Throttling", "UnixUsers", "UsageCommand", "VirtualUsers",
    ].map { name in
        .executableTarget(
            name: name,
            dependencies: ["Portcullis"],
            path: "Sources/Examples/\(name)",
            // They are to use what others may use.
            packageAccess: false,
            swiftSettings: strict
        )
    } + [
        .executableTarget(
            name: "EmbeddedInService",
            dependencies: [
                "Portcullis", "PortcullisService",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Examples/EmbeddedInService",
            packageAccess: false,
            swiftSettings: strict
        ),
        // What the tests ask of the library, as a program outside of this package could.
        .executableTarget(
            name: "Probe",
            dependencies: ["Portcullis", .product(name: "Logging", package: "swift-log")],
            path: "Tests/Probe",
            packageAccess: false,
            swiftSettings: strict
        ),
    ]

let package = Package(
    name: "portcullis",
    products: [
        .library(name: "Portcullis", targets: ["Portcullis"]),
        .library(name: "PortcullisService", targets: ["PortcullisService"]),
        .executable(name: "portcullis", targets: ["PortcullisCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPAM", providers: [.apt(["libpam0g-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .target(name: "CLinux", cSettings: strictC),
        .target(name: "CRemoteKey", dependencies: ["COpenSSL"], cSettings: strictC),
        .target(name: "FTPProtocol", swiftSettings: strict),
        .target(
            name: "LinuxSystem",
            dependencies: [
                "CLinux", "FTPProtocol", .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "TLS",
            dependencies: ["COpenSSL", "CRemoteKey", "FTPProtocol", "LinuxSystem"],
            swiftSettings: strict
        ),
        .target(
            name: "FileSystem",
            dependencies: [
                "CLinux", "FTPProtocol", "LinuxSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Authentication",
            dependencies: [
                "CCrypt", "CPAM", "FTPProtocol", "LinuxSystem", "TLS",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Isolation",
            dependencies: [
                "CLinux", "Authentication", "FileSystem", "FTPProtocol", "LinuxSystem", "TLS",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Portcullis",
            dependencies: [
                "CZlib", "Isolation", "Authentication", "FileSystem", "FTPProtocol", "LinuxSystem",
                "TLS",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "PortcullisService",
            dependencies: [
                "LinuxSystem", "Portcullis",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "PortcullisCLI",
            dependencies: [
                "Portcullis", "Authentication", "FTPProtocol", "Isolation", "LinuxSystem", "TLS",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict,
            // Every function is looked up once, before the first fork, and not in each process; and
            // the table of what was found can be read only.
            linkerSettings: [
                .unsafeFlags(["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "now"])
            ]
        ),
        .target(
            name: "TestSupport",
            dependencies: ["LinuxSystem"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        .testTarget(
            name: "FTPProtocolTests",
            dependencies: ["FTPProtocol", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "LinuxSystemTests",
            dependencies: [
                "LinuxSystem", "FTPProtocol", "TestSupport",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TLSTests",
            dependencies: [
                "COpenSSL", "TLS", "FTPProtocol", "LinuxSystem", "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FileSystemTests",
            dependencies: ["FileSystem", "FTPProtocol", "LinuxSystem", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AuthenticationTests",
            dependencies: ["Authentication", "FTPProtocol", "LinuxSystem"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IsolationTests",
            dependencies: [
                "Isolation", "Authentication", "FTPProtocol", "LinuxSystem", "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PortcullisTests",
            dependencies: [
                "FTPProtocol", "Isolation", "LinuxSystem", "Portcullis",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: ["FTPProtocol", "LinuxSystem", "Portcullis"],
            swiftSettings: strict
        ),
    ] + examples + fuzzing,
    swiftLanguageModes: [.v6]
)

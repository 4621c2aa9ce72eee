internal import LinuxSystem

/// Holds one listening socket, since arrays hold no value with a single owner.
final class ListeningBox {
    let descriptor: OwnedDescriptor
    let kind: ControlPort.Kind

    init(_ descriptor: consuming OwnedDescriptor, _ kind: ControlPort.Kind) {
        self.descriptor = descriptor
        self.kind = kind
    }
}

import Testing

@testable import LinuxSystem

@Suite struct NameServiceModulesTests {
    @Test func servicesForUsersAndGroupsAreFound() {
        let text = """
            # comment: passwd: never
            passwd:         files systemd  # passwd: nor this
            group :  files [SUCCESS=merge] sss
            hosts: files dns
            initgroups: ../../tmp/evil ldap
            """
        #expect(
            NameServiceModules.names(in: Array(text.utf8)) == ["files", "systemd", "sss", "ldap"]
        )
    }

    @Test func whatIsNoTextNamesNothing() {
        #expect(NameServiceModules.names(in: [0xFF, 0x3A, 0xFE]).isEmpty)
        #expect(NameServiceModules.names(in: []).isEmpty)
    }
}

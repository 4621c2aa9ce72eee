/// A login with nothing to end.
final class PlainLogin: Login {
    let account: Account

    init(account: Account) {
        self.account = account
    }

    func end() {}
}

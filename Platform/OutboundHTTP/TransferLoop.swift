import CCurl
import Threads

/// What the thread of a client does until it is told to stop: gives orders to libcurl and answers them.
final class TransferLoop {
    /// Waits at most that long in one go, so that the thread is never further than this from noticing anything.
    private static let waitMillisecondsMax: Int32 = 1000
    /// Seconds for which an unused connection is kept: below the idle limits of common peers, which close after 60.
    private static let idleSecondsMax = 50

    /// libcurl is set up once in a process, before its first use.
    private static let isSetUp = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let inbox: TransferInbox
    private let rules: TransferRules
    private let multi: UnsafeMutableRawPointer
    private var transfers: [UInt64: Transfer] = [:]
    private var idsByHandle: [UnsafeMutableRawPointer: UInt64] = [:]

    init(inbox: TransferInbox, rules: TransferRules) {
        precondition(TransferLoop.isSetUp, "libcurl can't be set up")
        guard let multi = curl_multi_init() else { preconditionFailure("no memory for libcurl") }
        (self.inbox, self.rules, self.multi) = (inbox, rules, multi)
        diboas_multi_setopt_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, rules.connectionsPerHostMax)
        diboas_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, rules.requestsMax)
    }

    deinit { curl_multi_cleanup(multi) }

    func run() {
        while true {
            let contents = inbox.take()
            for (order, answer) in contents.orders { start(order, answer) }
            for id in contents.cancelled { remove(id)?.abort(.cancelled) }
            if contents.isStopping { break }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            finishDone()
            wait()
        }
        for id in Array(transfers.keys) { remove(id)?.abort(.stopped) }
    }

    private func start(_ order: TransferOrder, _ answer: TransferInbox.Answer) {
        let transfer = Transfer(order, answer: answer, rules: rules)
        diboas_setopt_long(transfer.easy, CURLOPT_MAXAGE_CONN, TransferLoop.idleSecondsMax)
        transfers[order.id] = transfer
        idsByHandle[transfer.easy] = order.id
        curl_multi_add_handle(multi, transfer.easy)
    }

    private func finishDone() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // The message is gone with the handle.
            let code = message.pointee.data.result
            if let id = idsByHandle[easy] { remove(id)?.finish(code) }
        }
    }

    private func remove(_ id: UInt64) -> Transfer? {
        guard let transfer = transfers.removeValue(forKey: id) else { return nil }
        idsByHandle[transfer.easy] = nil
        curl_multi_remove_handle(multi, transfer.easy)
        inbox.finishOne()
        return transfer
    }

    private func wait() {
        var extra = curl_waitfd(fd: inbox.wake.descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        curl_multi_poll(multi, &extra, 1, TransferLoop.waitMillisecondsMax, nil)
        if extra.revents != 0 { inbox.wake.clear() }
    }
}

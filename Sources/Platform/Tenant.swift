import Crypto
import Kernel
import Logging
import Storage

/// Everything of one tenant: its own database, files, queue and ids. A tenant is a database of its own (decision 9).
package final class Tenant: Sendable {
    package let name: String
    package let database: any Database
    package let ids: IDGenerator
    package let clock: any WallClock
    package let wake: WakeSignal
    package let outbox: Outbox
    package let jobs: JobQueue
    package let blobs: any BlobStore
    package let audit: Audit
    package let requests: RequestStore
    package let logger: Logger
    /// Secrets that live outside the database.
    package let keys: TenantKeys
    /// East of UTC, for showing times.
    package let timeZoneOffsetMinutes: Int
    /// Default for numbers without a country prefix.
    package let countryCode: String
    /// ISO 4217, for amounts without a currency.
    package let currency: String
    /// Who reads what they have just written.
    package let writers = RecentWriters()

    package init(
        name: String, database: any Database, ids: IDGenerator, clock: any WallClock, wake: WakeSignal = WakeSignal(),
        blobs: any BlobStore, keys: TenantKeys, logger: Logger, timeZoneOffsetMinutes: Int = 480,
        countryCode: String = "86", currency: String = "CNY"
    ) {
        self.name = name
        self.database = database
        self.ids = ids
        self.clock = clock
        self.wake = wake
        self.blobs = blobs
        self.keys = keys
        self.logger = logger
        self.timeZoneOffsetMinutes = timeZoneOffsetMinutes
        self.countryCode = countryCode
        self.currency = currency
        outbox = Outbox(ids: ids, clock: clock, wake: wake)
        jobs = JobQueue(database: database, ids: ids, clock: clock, wake: wake)
        audit = Audit(ids: ids, clock: clock)
        requests = RequestStore(clock: clock)
    }
}

/// Secrets of one installation, kept in files of mode 0400 outside the database.
package struct TenantKeys: Sendable {
    /// HMAC key over password hashes.
    package let pepper: SymmetricKey
    package init(pepper: SymmetricKey) { self.pepper = pepper }
}

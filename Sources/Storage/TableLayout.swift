import Kernel

/// Where a table's rows lie on PostgreSQL: which of them on which node of a distributed engine, and which of them in which
/// month. Declared once for each table, beside its labels; migrations, upkeep, grants, `migrate --distributed` and the
/// tidy tests read it here.
package struct TableLayout: Sendable, Equatable {
    /// What `switchboard migrate --distributed` makes of a table.
    package enum Placement: Sendable, Equatable {
        /// The table of the customers itself, spread by its id; all others of a customer lie beside it. There is one.
        case customers(key: String)
        /// Rows of customers: spread by the customer's id, beside the customer.
        case customer(key: String)
        /// Spread by what the table is asked with, which is no customer: look-ups and locators.
        case lookUp(key: String)
        /// Small and joined with distributed tables: a whole copy on each node.
        case reference
        /// On the coordinator only: claimed with SKIP LOCKED, joined only among themselves, or small.
        case local
    }

    package let table: String
    package let placement: Placement
    /// `nil` = one table for ever.
    package let growth: Growth?
    /// The application may add and read rows and nothing else (G58).
    package let isAppendOnly: Bool
    /// The application may read rows and nothing else.
    package let isReadOnly: Bool

    package init(
        _ table: String, _ placement: Placement, growth: Growth? = nil, isAppendOnly: Bool = false,
        isReadOnly: Bool = false
    ) {
        self.table = table
        self.placement = placement
        self.growth = growth
        self.isAppendOnly = isAppendOnly
        self.isReadOnly = isReadOnly
    }

    /// The distribution column; `nil` = the table is not distributed.
    package var key: String? {
        switch placement {
        case .customers(let key), .customer(let key), .lookUp(let key): key
        case .reference, .local: nil
        }
    }

    /// Tables with the same placement.
    package static func all(_ tables: [String], _ placement: Placement) -> [TableLayout] {
        tables.map { TableLayout($0, placement) }
    }
}

/// How a table that only grows is kept in months. On PostgreSQL it is partitioned by range, with a partition `TABLE_YYYYMM`
/// for each month and `TABLE_default` for what lies in none, so that no write ever fails for want of a month. On SQLite, one
/// machine's engine, it is one table.
package struct Growth: Sendable, Equatable {
    /// What the months are told by; part of the primary key.
    package enum Column: Sendable, Equatable {
        /// A time-sorted id (`ID`).
        case id(String)
        /// Text that begins with `YYYY-MM`.
        case month(String)

        package var name: String {
            switch self {
            case .id(let name), .month(let name): name
            }
        }
    }

    /// What becomes of a month that is old.
    package enum Retention: Sendable, Equatable {
        /// It stays: its rows go with the records that they belong to.
        case kept
        /// It stays until a person has exported it; said to be ready for that so many months after its end.
        case exported(afterMonths: Int)
        /// It is dropped whole so many days after its end; rows that meet `except` (a condition) are kept.
        case dropped(afterDays: Int, except: SQL?)
    }

    package let column: Column
    package let retention: Retention
    /// Months made before they begin.
    package let monthsAhead: Int
    /// Months made that are already over: for what is told of past months.
    package let monthsBehind: Int

    package init(by column: Column, _ retention: Retention, monthsAhead: Int = 3, monthsBehind: Int = 0) {
        precondition(monthsAhead >= 1 && monthsBehind >= 0, "the month that comes must be there when it comes")
        self.column = column
        self.retention = retention
        self.monthsAhead = monthsAhead
        self.monthsBehind = monthsBehind
    }

    /// The months that must be there at a time.
    package func wanted(at now: Instant) -> [GrowthMonth] {
        (-monthsBehind...monthsAhead).map { GrowthMonth(now).adding($0) }.filter { !isOver($0, at: now) }
    }

    /// Whether a month's time is over: it has been dropped, or is to be.
    package func isOver(_ month: GrowthMonth, at now: Instant) -> Bool {
        guard case .dropped(let days, _) = retention else { return false }
        return month.adding(1).start.adding(days: Int64(days)) <= now
    }

    /// Whether a month is so old that it may be exported and taken out by hand.
    package func isExportable(_ month: GrowthMonth, at now: Instant) -> Bool {
        guard case .exported(let months) = retention else { return false }
        return month.adding(1 + months) <= GrowthMonth(now)
    }
}

/// The layouts of the storage layer's own tables.
package enum StorageLayouts {
    /// Why all are local: jobs, events, schedules and node numbers are claimed with row locks that a distributed engine
    /// knows on local tables only.
    package static let all: [TableLayout] =
        [
            // Receipts before events: which receipts stay is told by the events that stay.
            TableLayout("storage_outbox_receipt", .local, growth: receipts),
            TableLayout("storage_outbox_event", .local, growth: events),
            TableLayout("schema_migration", .local, isReadOnly: true),
        ]
        + TableLayout.all(
            ["storage_node", "storage_job", "storage_mark", "storage_copy", "storage_schedule", "storage_server"],
            .local)

    /// Delivered events are forgotten a week after the end of their month; what waits or stands aside stays.
    private static let events = Growth(
        by: .id("id"), .dropped(afterDays: 7, except: "status NOT IN ('done', 'dismissed')"))
    private static let receipts = Growth(
        by: .id("event_id"),
        .dropped(
            afterDays: 7,
            except: "event_id IN (SELECT id FROM storage_outbox_event WHERE status NOT IN ('done', 'dismissed'))"))
}

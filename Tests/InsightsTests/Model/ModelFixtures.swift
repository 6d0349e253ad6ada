import Compute
import Foundation

@testable import Insights

/// Tables to learn from: a made-up operator whose leavers follow a known rule, and real files where they exist.
enum ModelFixtures {
    /// Customers with an identifier, honest columns of every kind, and the label `Churn`.
    ///
    /// Short tenure, monthly contracts, complaints and high charges raise the risk; the town does a little; the
    /// favourite colour does nothing.
    static func customers(_ rows: Int, seed: UInt64 = 1) -> RawTable {
        var random = SeededRandom(seed: seed)
        var values: [String: [String?]] = [:]
        func add(_ column: String, _ value: String?) { values[column, default: []].append(value) }
        for row in 0..<rows {
            let tenure = 1 + random.below(72)
            let contract = ["Month-to-month", "One year", "Two year"][random.below(10) < 5 ? 0 : 1 + random.below(2)]
            let charge = 20 + random.unit() * 90
            let complaints = random.below(5) == 0 ? 1 + random.below(4) : 0
            let support = random.below(2) == 0
            let town = random.below(60)
            let odds =
                -1.3 - 0.035 * Double(tenure - 36) + (contract == "Month-to-month" ? 1.1 : -0.7)
                + 0.02 * (charge - 65) + 0.5 * Double(complaints) + (support ? -0.4 : 0.2) + (town < 6 ? 0.6 : 0)
            add("Customer ID", "C-\(100_000 + (row * 7919) % 90_000)-\(row)")
            add("Tenure Months", row % 97 == 5 ? nil : "\(tenure)")
            add("Contract", contract)
            add("Monthly Charges", row % 211 == 3 ? "n/a" : String(format: "%.2f", charge))
            add("Complaints", "\(complaints)")
            add("Tech Support", support ? "Yes" : "No")
            add("City", "Town \(town)")
            add("Favourite Colour", ["red", "green", "blue", "white"][random.below(4)])
            add("Signup Date", "\(2024 - tenure / 12)-\(String(format: "%02d", 1 + random.below(12)))-15")
            add("Country", "Utopia")
            add("Churn", random.unit() < LogisticRegression.sigmoid(odds) ? "Yes" : "No")
        }
        let order = [
            "Customer ID", "Tenure Months", "Contract", "Monthly Charges", "Complaints", "Tech Support", "City",
            "Favourite Colour", "Signup Date", "Country", "Churn",
        ]
        return RawTable(columns: order.map { ($0, values[$0] ?? []) })
    }

    /// Adds a column computed from the row's number and outcome.
    static func adding(_ name: String, to table: RawTable, _ value: (Int, Bool) -> String?) -> RawTable {
        let labels = table.values(of: "Churn") ?? []
        let added = labels.indices.map { value($0, labels[$0] == "Yes") }
        return RawTable(columns: table.columns + [(name, added)])
    }

    static func dropping(_ name: String, from table: RawTable) -> RawTable {
        RawTable(columns: table.columns.filter { $0.name != name })
    }

    static func rows(_ chosen: [Int], of table: RawTable) -> RawTable {
        RawTable(columns: table.columns.map { column in (column.name, chosen.map { column.values[$0] }) })
    }

    // MARK: Real files

    static let ibm = "churn-ibm-telco/XTelco_Customer_Churn.csv"
    static let ibmSmall = "churn-ibm-telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"
    static let iranian = "churn-iranian/Customer_Churn.csv"

    /// A real file, or nil with a printed reason where the machine does not have it.
    static func real(_ path: String) -> RawTable? {
        let full = "/work/shared/data/" + path
        guard let data = FileManager.default.contents(atPath: full) else {
            print("skipped: \(full) is not on this machine")
            return nil
        }
        return table(csv: [UInt8](data))
    }

    /// The smallest splitter that reads these files: quotes, CRLF, first line is the header.
    static func table(csv bytes: [UInt8]) -> RawTable {
        var rows: [[String]] = []
        var row: [String] = []
        var field: [UInt8] = []
        var quoted = false
        func endField() {
            row.append(String(decoding: field, as: UTF8.self))
            field = []
        }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): quoted.toggle()
            case UInt8(ascii: ",") where !quoted: endField()
            case UInt8(ascii: "\r") where !quoted: continue
            case UInt8(ascii: "\n") where !quoted:
                endField()
                rows.append(row)
                row = []
            default: field.append(byte)
            }
        }
        if !field.isEmpty || !row.isEmpty {
            endField()
            rows.append(row)
        }
        guard let header = rows.first else { return RawTable(columns: []) }
        return RawTable(
            columns: header.enumerated().map { place, name in
                (name, rows.dropFirst().map { place < $0.count ? $0[place] : nil })
            })
    }
}

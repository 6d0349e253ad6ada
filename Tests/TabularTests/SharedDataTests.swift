import Testing

@testable import Tabular

@Suite("Containers as they are found in the wild")
struct SharedDataTests {
    @Test("rows and columns are those that the data's README states", arguments: [
        ("churn-ibm-telco/Telco_customer_churn_demographics.xlsx", 7_043, 8),
        ("churn-ibm-telco/Telco_customer_churn_services.xlsx", 7_043, 28),
        ("churn-ibm-telco/Telco_customer_churn_location.xlsx", 7_043, 3),
        ("churn-ibm-telco/Telco_customer_churn_status.xlsx", 7_043, 2),
        ("churn-ibm-telco/02 Churn-Dataset.xlsx", 7_043, 23),
        ("satisfaction-beijing-mobile/附件1语音业务用户满意度数据.xlsx", 5_433, 55),
        ("satisfaction-beijing-mobile/附件2上网业务用户满意度数据.xlsx", 7_020, 125),
        ("satisfaction-beijing-mobile/附件3语音业务用户满意度预测数据.xlsx", 2_599, 44),
        ("satisfaction-beijing-mobile/附件4上网业务用户满意度预测数据.xlsx", 1_610, 87),
        ("complaints-citizen-zh/附件1.xlsx", 517, 3), ("complaints-citizen-zh/附件2.xlsx", 495, 6),
        ("complaints-citizen-zh/附件3.xlsx", 30, 7), ("complaints-citizen-zh/附件4.xlsx", 120, 7),
        ("usage-megaline/megaline_calls.csv.gz", 137_735, 4), ("usage-megaline/megaline_internet.csv.gz", 104_825, 4),
        ("usage-megaline/megaline_messages.csv", 76_051, 3),
    ])
    func counts(file: String, rows: Int, columns: Int) throws {
        guard let bytes = sharedData(file) else { return }
        let read = try Unwrapped(bytes, name: file, pieces: [1 << 18])
        #expect(read.rows.count == rows)
        #expect(read.columns.count == columns, "\(read.columns)")
        #expect(read.rejects.isEmpty)
    }

    @Test("the two sheets of the field descriptions")
    func descriptions() throws {
        guard let bytes = sharedData("satisfaction-beijing-mobile/附件5附件1、2、3、4的字段说明.xlsx") else { return }
        #expect(try Unwrapped(bytes, sheet: "1").unpacked?.summary?.rows == 51)
        #expect(try Unwrapped(bytes, sheet: "2").unpacked?.summary?.rows == 122)
    }

    @Test("Chinese headers and values of a workbook")
    func chinese() throws {
        guard let bytes = sharedData("satisfaction-beijing-mobile/附件1语音业务用户满意度数据.xlsx") else { return }
        let read = try Unwrapped(bytes)
        let column = try #require(read.columns.firstIndex(of: "语音通话整体满意度"))
        let tens = read.rows.count { $0[column] == "10" }
        #expect((0.57...0.60).contains(Double(tens) / Double(read.rows.count)), "58 % give 10: \(tens)")
    }
}

import Kernel
import Platform
import Storage
import Web

/// Risk, value against risk, and the map.
extension CustomerDashboard {
    static func risk(_ context: Context) throws -> PanelContent? {
        let language = context.language
        let bins = try context.figure("risk", DashboardStore.byRisk)
        var counts = [Int](repeating: 0, count: 20)
        var bands = [[RiskBand: Int]](repeating: [:], count: 20)
        var byBand: [RiskBand: Int] = [:]
        for entry in bins where (0..<20).contains(entry.bin) {
            counts[entry.bin] += entry.count
            guard let band = entry.band else { continue }
            bands[entry.bin][band, default: 0] += entry.count
            byBand[band, default: 0] += entry.count
        }
        // A bin has the colour of most of its customers.
        let tones = bands.map {
            $0.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key.rawValue ?? "accent"
        }
        let total = counts.reduce(0, +)
        let chart = JSONValue.object([
            "edges": .array((0...20).map { .double(Double($0) / 20) }),
            "counts": .array(counts.map { .int(Int64($0)) }), "tones": .array(tones.map { .string($0) }),
            "x": .object([
                "title": .string(Words(en: "Probability of leaving", zh: "离网概率")[language]),
                "format": .string("percent"),
            ]),
            "y": .object([
                "title": .string(Words(en: "Customers", zh: "客户")[language]), "format": .string("integer"),
            ]),
            "summary": .string(
                Words(en: "Customers in service by probability of leaving", zh: "在网客户按离网概率分布")[language]),
        ])
        return PanelContent(
            template: "customers/card-risk",
            view: [
                "isEmpty": .bool(total == 0), "chart": .text(chart.encoded()),
                "bands": .list(
                    RiskBand.allCases.map { band in
                        [
                            "band": .text(band.rawValue), "label": .text(PageWords.of(band)[language]),
                            "count": .text(PanelParts.count(byBand[band] ?? 0)),
                            "href": .text("/customers?band=\(band.rawValue)"),
                        ]
                    }),
            ])
    }

    /// A table of value tier by risk band; each cell leads to its customers.
    static func value(_ context: Context) throws -> PanelContent? {
        let language = context.language
        let cells = try context.figure("value", DashboardStore.byTierAndBand)
        let most = max(1, cells.map(\.count).max() ?? 1)
        let bands: [RiskBand] = [.low, .medium, .high, .critical]
        let rows = ValueTier.allCases.compactMap { tier -> View? in
            let mine = cells.filter { $0.tier == tier }
            if mine.isEmpty { return nil }
            return [
                "tier": .text(PageWords.of(tier)[language]),
                "cells": .list(bands.map { band in cell(mine.first { $0.band == band }, tier, band, most, language) }),
            ]
        }
        let endangered = cells.filter { ($0.band == .high || $0.band == .critical) }
        let charge = endangered.reduce(Int64(0)) { $0 + $1.charge }
        return PanelContent(
            template: "customers/card-value",
            view: [
                "isEmpty": .bool(cells.isEmpty), "rows": .list(rows),
                "bands": .list(
                    bands.map { ["band": .text($0.rawValue), "label": .text(PageWords.of($0)[language])] }),
                "hasCharge": .bool(charge > 0),
                "charge": .text(PanelParts.rounded(charge, cells.first?.currency ?? "CNY")),
                "customers": .text(PanelParts.count(endangered.reduce(0) { $0 + $1.count })),
            ])
    }

    private static func cell(
        _ figure: DashboardStore.TierBand?, _ tier: ValueTier, _ band: RiskBand, _ most: Int, _ language: Language
    ) -> View {
        let count = figure?.count ?? 0
        let label = "\(PageWords.of(tier)[language]), \(PageWords.of(band)[language])"
        return [
            "isZero": .bool(count == 0), "count": .text(PanelParts.count(count)), "band": .text(band.rawValue),
            "label": .text(label), "column": .text(PageWords.of(band)[language]),
            // The area tells the number: the width grows with its root, so that small cells can still be seen.
            "width": .int(count == 0 ? 0 : max(2, Int((Double(count) / Double(most)).squareRoot() * 100))),
            "charge": .text(figure.map { PanelParts.rounded($0.charge, $0.currency) }),
            "href": .text("/customers?tier=\(tier.rawValue)&band=\(band.rawValue)"),
        ]
    }

    static func map(_ context: Context) throws -> PanelContent? {
        let language = context.language
        let cells = try context.figure("map", DashboardStore.byCell)
        guard !cells.isEmpty else { return nil }
        let views = cells.map { place($0, language) }
        let columns = [
            Words(en: "Place", zh: "地点"), Words(en: "Customers", zh: "客户"), Words(en: "Left", zh: "离网占比"),
        ]
        let data = JSONValue.object([
            "cells": .array(views), "cities": .array(cities(cells)),
            "columns": .array(columns.map { .string($0[language]) }),
        ])
        return PanelContent(template: "customers/card-map", view: ["data": .text(data.encoded())])
    }

    private static func place(_ cell: DashboardStore.Cell, _ language: Language) -> JSONValue {
        let share = cell.count > 0 ? Double(cell.leavers) / Double(cell.count) : 0
        let (count, left) = (PanelParts.count(cell.count), PanelParts.count(cell.leavers))
        let percent = PanelParts.percent(share)
        let line = Words(
            en: "\(count) customers, \(left) left (\(percent))", zh: "\(count) 位客户，\(left) 位已离网（\(percent)）")
        var fields: [String: JSONValue] = [
            "lat": .double(cell.latitude), "lon": .double(cell.longitude), "count": .int(Int64(cell.count)),
            "share": .double((share * 1_000).rounded() / 1_000), "tone": .string(tone(share)),
            "label": .string(cell.city ?? "\(degrees(cell.latitude)), \(degrees(cell.longitude))"),
            "lines": .array([.string(line[language])]),
        ]
        if let region = cell.region { fields["href"] = .string("/customers?region=\(Form.encode(region))") }
        return .object(fields)
    }

    /// Names for the largest cells, far enough from each other to be read.
    private static func cities(_ cells: [DashboardStore.Cell]) -> [JSONValue] {
        var named: [DashboardStore.Cell] = []
        for cell in cells {
            guard named.count < 14 else { break }
            guard let city = cell.city, !named.contains(where: { $0.city == city }) else { continue }
            let near = named.contains {
                abs($0.latitude - cell.latitude) < 1.2 && abs($0.longitude - cell.longitude) < 2
            }
            if !near { named.append(cell) }
        }
        return named.map {
            .object(["lat": .double($0.latitude), "lon": .double($0.longitude), "name": .string($0.city ?? "")])
        }
    }

    static func tone(_ share: Double) -> String {
        share < 0.15 ? "low" : share < 0.30 ? "medium" : share < 0.45 ? "high" : "critical"
    }

    private static func degrees(_ value: Double) -> String {
        let hundredths = Int((abs(value) * 100).rounded())
        return "\(value < 0 ? "−" : "")\(hundredths / 100).\(DemoNumbers.padded(hundredths % 100, 2))°"
    }
}

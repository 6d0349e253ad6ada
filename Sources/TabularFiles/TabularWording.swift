import Kernel
import Tabular

/// What is wrong with a file, for the person who gave it. An import has words of its own (`FileInspector`).
package enum TabularWording {
    package static func error(_ error: TabularError) -> CRMError {
        CRMError("file_invalid", status: 422, words(error))
    }

    package static func words(_ error: TabularError) -> Words {
        switch error {
        case .emptyFile: return Words(en: "The file is empty.", zh: "文件为空。")
        case .notText(let kind):
            let (what, advice) = (kind.words, kind.advice)
            return Words(
                en: "This is \(what.en), not a table. \(advice.en)", zh: "这是\(what.zh)，不是表格。\(advice.zh)")
        case .undecodable(let text):
            return Words(
                en: "Line \(text.line) holds bytes that mean nothing in \(text.encoding.rawValue).",
                zh: "第 \(text.line) 行含有无法按 \(text.encoding.rawValue) 解码的字节。")
        case .headerUnreadable(let reject):
            let reason = self.reject(reject)
            return Words(en: "The header cannot be read: \(reason.en)", zh: "无法读取表头：\(reason.zh)")
        case .notJSONLines:
            return Words(
                en: "This is one JSON document; JSON Lines (one object a line) is expected.",
                zh: "这是单个 JSON 文档，应为每行一个对象的 JSON Lines。")
        case .badCheckpoint:
            return Words(en: "The file has changed since reading began.", zh: "文件在读取过程中发生了变化。")
        }
    }

    /// One rejected row.
    package static func reject(_ reject: Reject) -> Words {
        let reason = reason(reject.reason)
        return Words(en: "line \(reject.line): \(reason.en)", zh: "第 \(reject.line) 行：\(reason.zh)")
    }

    private static func reason(_ reason: RejectReason) -> Words {
        switch reason {
        case .unclosedQuote: Words(en: "a quote never closes", zh: "引号未闭合")
        case .textAfterQuote: Words(en: "text after a closing quote", zh: "引号后有多余文字")
        case .fieldTooLong(let limit): Words(en: "a field over \(limit) bytes", zh: "字段超过 \(limit) 字节")
        case .recordTooLong(let limit): Words(en: "a row over \(limit) bytes", zh: "行超过 \(limit) 字节")
        case .tooManyColumns(let limit): Words(en: "more than \(limit) columns", zh: "列数超过 \(limit)")
        case .tooFewFields(let expected, let found), .tooManyFields(let expected, let found):
            Words(en: "\(found) fields instead of \(expected)", zh: "应有 \(expected) 个字段，实际 \(found) 个")
        case .nulByte, .nulCharacter: Words(en: "a NUL character", zh: "含有 NUL 字符")
        case .undecodableBytes: Words(en: "bytes that cannot be decoded", zh: "含有无法解码的字节")
        case .jsonSyntax, .notAnObject, .loneSurrogate, .tooDeep, .numberOverflow:
            Words(en: "not a usable JSON object (\(reason.code))", zh: "不是可用的 JSON 对象（\(reason.code)）")
        case .duplicateKey(let key): Words(en: "the key “\(key)” occurs twice", zh: "键“\(key)”重复")
        }
    }
}

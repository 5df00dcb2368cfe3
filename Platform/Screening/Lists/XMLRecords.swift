/// The records of an XML document (XML 1.0, UTF-8), one after the other, without the document in memory.
///
/// Document types are refused, and with them entities of the document's own: what expands without bound or reads files
/// can't be written. A document that isn't well formed is refused where that shows; what came before isn't used.
struct XMLRecords {
    /// Elements that lie in each other, at most.
    static let depthMax = 24
    /// Elements of one record, at most.
    static let elementsMax = 20_000
    /// Bytes of one tag or text, at most.
    static let tokenBytesMax = 1 << 20

    private var scanner: XMLScanner
    private let names: Set<String>
    private var outer: [String] = []
    /// Records read so far.
    private(set) var count = 0
    /// The attributes of the document's element.
    private(set) var rootAttributes: [String: String] = [:]
    /// Texts of elements outside records, by name.
    private(set) var outerTexts: [String: String] = [:]

    /// The elements of certain names.
    init(_ bytes: ByteReader, named names: Set<String>) { (scanner, self.names) = (XMLScanner(bytes), names) }

    /// The next record; nil at the end.
    ///
    /// - Throws: `ListReadingError`, or what reading throws.
    mutating func next() throws -> XMLElement? {
        while let token = try scanner.next() {
            switch token {
            case .start(let name, let attributes, let isEmpty):
                if names.contains(name) {
                    count += 1
                    let element = XMLElement(name: name, attributes: attributes)
                    return isEmpty ? element : try record(element)
                }
                if outer.isEmpty {
                    guard rootAttributes.isEmpty else { throw fault("two documents") }
                    rootAttributes = attributes
                }
                if !isEmpty { outer.append(name) }
                guard outer.count <= XMLRecords.depthMax else { throw fault("too deep") }
            case .end(let name): guard outer.popLast() == name else { throw fault("</\(name)> ends nothing") }
            case .text(let text):
                if let name = outer.last, outerTexts.count < 100 { outerTexts[name, default: text] = text }
            }
        }
        guard outer.isEmpty else { throw fault("it ends within <\(outer[outer.count - 1])>") }
        return nil
    }

    private mutating func record(_ first: XMLElement) throws -> XMLElement {
        var open = [first]
        var elements = 1
        while let token = try scanner.next() {
            switch token {
            case .start(let name, let attributes, let isEmpty):
                elements += 1
                guard elements <= XMLRecords.elementsMax, open.count < XMLRecords.depthMax else {
                    throw fault("record \(count) is too large")
                }
                let element = XMLElement(name: name, attributes: attributes)
                if isEmpty { open[open.count - 1].children.append(element) } else { open.append(element) }
            case .text(let text): open[open.count - 1].text += text
            case .end(let name):
                guard let element = open.popLast(), element.name == name else { throw fault("</\(name)> ends nothing") }
                if open.isEmpty { return element }
                open[open.count - 1].children.append(element)
            }
        }
        throw fault("it ends within record \(count)")
    }

    private func fault(_ what: String) -> ListReadingError { .malformed(what, byte: scanner.offset) }
}

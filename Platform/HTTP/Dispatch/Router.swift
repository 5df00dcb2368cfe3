/// Finds the routes of a path: a tree of segments, literal ones before parameters.
struct Router: Sendable {
    /// The deepest path that is looked at, in segments.
    static let segmentsMax = 16

    /// What answers at one path, by method.
    struct Endpoint: Sendable {
        fileprivate(set) var routes: [(method: HTTPMethod, index: Int)] = []

        /// The index of the route of a method; `HEAD` is served by `GET`.
        func index(of method: HTTPMethod) -> Int? { routes.first { $0.method == method }?.index }

        /// The value of `Allow`.
        var allow: String {
            var methods = routes.map(\.method.rawValue)
            if index(of: .get) != nil { methods.append("HEAD") }
            return (methods + ["OPTIONS"]).sorted().joined(separator: ", ")
        }
    }

    private struct Node: Sendable {
        var literals: [Substring: Int] = [:]
        var parameter: Int?
        var endpoint: Int?
    }

    private var nodes = [Node()]
    private(set) var endpoints: [Endpoint] = []

    /// A router over routes, by their position.
    ///
    /// The caller guarantees that no two have the same method and path shape.
    init(_ routes: [Route]) {
        for (index, route) in routes.enumerated() {
            let endpoint = endpoint(of: route.path)
            let taken = endpoints[endpoint].index(of: route.method) != nil
            precondition(!taken, "two routes for \(route.method.rawValue) \(route.path)")
            endpoints[endpoint].routes.append((route.method, index))
        }
    }

    private mutating func endpoint(of path: PathTemplate) -> Int {
        precondition(path.segments.count <= Router.segmentsMax, "a path of more than \(Router.segmentsMax) parts")
        var node = 0
        for segment in path.segments {
            if let next = child(of: node, segment) {
                node = next
                continue
            }
            nodes.append(Node())
            switch segment {
            case .literal(let text): nodes[node].literals[text[...]] = nodes.count - 1
            case .parameter: nodes[node].parameter = nodes.count - 1
            }
            node = nodes.count - 1
        }
        if let endpoint = nodes[node].endpoint { return endpoint }
        endpoints.append(Endpoint())
        nodes[node].endpoint = endpoints.count - 1
        return endpoints.count - 1
    }

    private func child(of node: Int, _ segment: PathTemplate.Segment) -> Int? {
        switch segment {
        case .literal(let text): nodes[node].literals[text[...]]
        case .parameter: nodes[node].parameter
        }
    }

    /// The endpoint of a path as it came, and the raw values of its parameters in order; nil when there is none.
    func match(_ path: Substring) -> (endpoint: Endpoint, values: [Substring])? {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        var values: [Substring] = []
        var node = 0
        var depth = 0
        var start = path.utf8.index(after: path.startIndex)
        while true {
            depth += 1
            guard depth <= Router.segmentsMax else { return nil }
            let end = path.utf8[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
            let segment = path[start..<end]
            if let next = nodes[node].literals[segment] {
                node = next
            } else if let next = nodes[node].parameter, !segment.isEmpty {
                values.append(segment)
                node = next
            } else {
                return nil
            }
            if end == path.endIndex { break }
            start = path.utf8.index(after: end)
        }
        return nodes[node].endpoint.map { (endpoints[$0], values) }
    }
}

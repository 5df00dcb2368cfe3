import Kernel

/// Reads and checks the parameters of a request.
enum ParameterReader {
    /// The parameters of the path (raw values in the template's order) and the query, as JSON by name.
    ///
    /// - Throws: 400 with every fault: `bad_encoding`, `unknown_parameter`, `repeated`, `missing`, and those of
    ///   schemas.
    static func read(_ route: Route, _ values: [Substring], _ query: Substring) throws(Problem) -> [String: JSON] {
        if values.isEmpty, query.isEmpty, !route.hasRequiredQuery { return [:] }
        var parameters: [String: JSON] = [:]
        var faults: [Problem.Fault] = []
        for (name, raw) in zip(route.path.parameterNames, values) {
            guard let text = PercentDecoding.decode(raw, plusIsSpace: false) else {
                throw .malformed("bad_encoding", in: name)
            }
            set(name, text, .path, route, &parameters, &faults)
        }
        for (name, text) in try Query(query).pairs { set(name, text, .query, route, &parameters, &faults) }
        for parameter in route.parameters where parameter.isRequired && parameters[parameter.name] == nil {
            guard !faults.contains(where: { $0.pointer == parameter.name }) else { continue }
            faults.append(Problem.Fault(parameter.name, "missing"))
        }
        guard faults.isEmpty else { throw .invalid(Array(faults.prefix(JSONSchema.faultsMax))) }
        return parameters
    }

    private static func set(
        _ name: String,
        _ text: String,
        _ location: Parameter.Location,
        _ route: Route,
        _ parameters: inout [String: JSON],
        _ faults: inout [Problem.Fault]
    ) {
        guard let parameter = route.parameters.first(where: { $0.name == name && $0.location == location }) else {
            let shown = TextCheck.hasControlCharacter(name) ? "query" : String(name.prefix(64))
            faults.append(Problem.Fault(shown, "unknown_parameter"))
            return
        }
        guard parameters[name] == nil else {
            faults.append(Problem.Fault(name, "repeated"))
            return
        }
        let value = parameter.schema.value(fromText: text)
        let found = parameter.schema.faults(in: value)
        if found.isEmpty { parameters[name] = value }
        faults += found.map { Problem.Fault(name, $0.code) }
    }
}

extension Route {
    var hasRequiredQuery: Bool { parameters.contains { $0.location == .query && $0.isRequired } }
}

extension JSONSchema {
    /// The JSON that a parameter's text stands for: a number for an integer, a bool for a bool, else a string.
    func value(fromText text: String) -> JSON {
        switch kind {
        case .integer:
            let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
            let isNumber = !digits.isEmpty && digits.utf8.allSatisfy(Format.isDigit)
            return isNumber ? .number(text) : .string(text)
        case .bool: return text == "true" ? true : text == "false" ? false : .string(text)
        default: return .string(text)
        }
    }
}

public import HTTP
public import Kernel
import WalletCrypto

/// What requests to every domain are held against: private keys and recovery phrases of any chain.
public struct PrivateMaterialScreen: PrivateMaterialFinder {
    /// A screen; it keeps nothing.
    public init() {}

    /// The kind of private material in a text; nil for none.
    public func privateMaterial(in text: String) -> String? { PrivateMaterial.find(in: text)?.rawValue }

    /// The kind of private material in the names and texts of a value; nil for none.
    public func privateMaterial(in json: JSON) -> String? { PrivateMaterial.find(in: json)?.rawValue }
}

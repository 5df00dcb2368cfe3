import Banking
import DeFi
import DomainKit
import Investing

/// Every domain of the program; a new one is added here, in `Package.swift` and in `migrations/`.
let domainTypes: [any Domain.Type] = [BankingDomain.self, InvestingDomain.self, DeFiDomain.self]

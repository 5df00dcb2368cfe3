import WalletCrypto

extension ProtocolDescription {
    /// The protocols that are offered.
    static let all = [aaveV3, compoundV3, lido, uniswapV3, erc4626]

    private static let everything = Argument.number(.uint256Max)
    private static let balanceOf = function("balanceOf(address)")

    /// docs.aave.com, Pool: `withdraw` of the largest number takes all; bit 60 of a reserve's configuration pauses it.
    static let aaveV3 = ProtocolDescription(
        name: "aave-v3",
        family: .lending,
        needsApproval: true,
        start: Step(
            function: function("supply(address,uint256,address,uint16)"),
            arguments: [.asset, .amount, .wallet, .number(.zero)],
            gasMax: 400_000
        ),
        exit: [
            Step(
                function: function("withdraw(address,uint256,address)"),
                arguments: [.asset, .amount, .wallet],
                gasMax: 400_000
            )
        ],
        stop: [
            Step(
                function: function("withdraw(address,uint256,address)"),
                arguments: [.asset, everything, .wallet],
                gasMax: 400_000
            )
        ],
        harvest: nil,
        position: .balance(balanceOf),
        rate: .rays(function("getReserveData(address)"), word: 2),
        risks: [.pausable, .utilization],
        guards: [
            Guard(
                function: function("getReserveData(address)"),
                arguments: [.asset],
                sign: .bit(60),
                stops: [.entering, .leaving]
            )
        ]
    )

    /// docs.compound.finance, Comet: as Aave's, but what comes out always goes to the caller; CometRewards pays beside.
    static let compoundV3 = ProtocolDescription(
        name: "compound-v3",
        family: .lending,
        needsApproval: true,
        start: Step(
            function: function("supply(address,uint256)"),
            arguments: [.asset, .amount],
            gasMax: 350_000
        ),
        exit: [Step(function: function("withdraw(address,uint256)"), arguments: [.asset, .amount], gasMax: 350_000)],
        stop: [
            Step(function: function("withdraw(address,uint256)"), arguments: [.asset, everything], gasMax: 350_000)
        ],
        harvest: Step(
            to: .rewards,
            function: function("claim(address,address,bool)"),
            arguments: [.place(.contract), .wallet, .yes],
            gasMax: 350_000
        ),
        position: .balance(balanceOf),
        rate: .perSecond(utilization: function("getUtilization()"), rate: function("getSupplyRate(uint256)")),
        risks: [.pausable, .utilization],
        guards: [
            Guard(function: function("isSupplyPaused()"), sign: .notZero, stops: [.entering]),
            Guard(function: function("isWithdrawPaused()"), sign: .notZero, stops: [.leaving]),
        ],
        rewards: RewardReader(
            owed: function("getRewardOwed(address,address)"),
            speed: function("baseTrackingSupplySpeed()"),
            total: function("totalSupply()")
        )
    )

    /// docs.lido.fi: balances grow by themselves; what leaves waits in WithdrawalQueueERC721 until it is finalised.
    static let lido = ProtocolDescription(
        name: "lido",
        family: .staking,
        needsApproval: false,
        start: Step(
            function: function("submit(address)"),
            arguments: [.nobody],
            paysValue: true,
            gasMax: 200_000
        ),
        exit: queueing,
        stop: queueing,
        harvest: nil,
        position: .balance(balanceOf),
        rate: .growth(function("getPooledEthByShares(uint256)")),
        risks: [.slashing, .queuedExit, .pausable],
        guards: [
            Guard(function: function("isStakingPaused()"), sign: .notZero, stops: [.entering]),
            Guard(at: .queue, function: function("isPaused()"), sign: .notZero, stops: [.leaving]),
        ],
        queue: QueueReader(
            requests: function("getWithdrawalRequests(address)"),
            status: function("getWithdrawalStatus(uint256[])"),
            checkpoints: function("getLastCheckpointIndex()"),
            hints: function("findCheckpointHints(uint256[],uint256,uint256)"),
            claim: Step(
                to: .queue,
                function: function("claimWithdrawals(uint256[],uint256[])"),
                arguments: [.requests, .hints],
                gasMax: 1_000_000
            ),
            dust: BigUInt(100)
        )
    )

    private static let queueing = [
        Step(to: .receipt, function: KnownCall.approve, arguments: [.place(.queue), .amount], gasMax: 100_000),
        Step(
            to: .queue,
            function: function("requestWithdrawals(uint256[],address)"),
            arguments: [.list([.amount]), .wallet],
            gasMax: 600_000
        ),
    ]

    /// eips.ethereum.org/EIPS/eip-4626: the largest number reverts, so that leaving names all shares.
    static let erc4626 = ProtocolDescription(
        name: "erc-4626",
        family: .vault,
        needsApproval: true,
        start: Step(
            function: function("deposit(uint256,address)"),
            arguments: [.amount, .wallet],
            gasMax: 400_000
        ),
        exit: [
            Step(
                function: function("withdraw(uint256,address,address)"),
                arguments: [.amount, .wallet, .wallet],
                gasMax: 400_000
            )
        ],
        stop: [
            Step(
                function: function("redeem(uint256,address,address)"),
                arguments: [.units, .wallet, .wallet],
                gasMax: 400_000
            )
        ],
        harvest: nil,
        position: .shares(balanceOf, worth: function("convertToAssets(uint256)")),
        rate: .growth(function("convertToAssets(uint256)")),
        risks: [.donations, .utilization, .pausable],
        guards: [
            Guard(function: function("maxDeposit(address)"), arguments: [.wallet], sign: .zero, stops: [.entering]),
            Guard(function: function("maxRedeem(address)"), arguments: [.wallet], sign: .zero, stops: [.leaving]),
        ],
        previews: Previews(
            entering: function("previewDeposit(uint256)"),
            leaving: function("previewRedeem(uint256)")
        )
    )

    /// docs.uniswap.org, NonfungiblePositionManager: what is taken out is owed first, then collected, both in one
    /// transaction, so that neither happens without the other.
    static let uniswapV3 = ProtocolDescription(
        name: "uniswap-v3",
        family: .liquidity,
        needsApproval: true,
        start: Step(
            function: function(
                "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
            ),
            arguments: [
                .tuple([
                    .asset, .pair, .fee, .tickLower, .tickUpper, .amount, .pairAmount, .amountMin, .pairAmountMin,
                    .wallet, .deadline,
                ])
            ],
            gasMax: 700_000
        ),
        exit: [leaving],
        stop: [leaving],
        harvest: collect,
        position: .liquidity(
            positions: function("positions(uint256)"),
            price: function("slot0()"),
            leaving: decrease.function
        ),
        rate: .unknown,
        risks: [.impermanentLoss],
        isPair: true
    )

    private static let leaving = Step(
        function: function("multicall(bytes[])"),
        calls: [decrease, collect],
        gasMax: 700_000
    )
    private static let decrease = Step(
        function: function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"),
        arguments: [.tuple([.token, .units, .amountMin, .pairAmountMin, .deadline])],
        gasMax: 400_000
    )
    private static let collect = Step(
        function: function("collect((uint256,address,uint128,uint128))"),
        arguments: [.tuple([.token, .wallet, .number(largest128), .number(largest128)])],
        gasMax: 300_000
    )

    private static let largest128 = BigUInt(bigEndian: [UInt8](repeating: 0xFF, count: 16))

    /// A function by a signature that is written here; a test reads every one.
    private static func function(_ signature: String) -> ContractFunction {
        guard let function = ContractFunction(signature) else { preconditionFailure("no function: \(signature)") }
        return function
    }
}

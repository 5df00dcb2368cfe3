# pragma version ~=0.4.0
# Lido-shaped WithdrawalQueueERC721, without the tokens: request, wait until it is finalised, claim.
interface Staking:
    def transferFrom(src: address, dst: address, amount: uint256) -> bool: nonpayable
    def redeem(shares: uint256, amount: uint256): nonpayable
    def getSharesByPooledEth(amount: uint256) -> uint256: view
    def getPooledEthByShares(shares: uint256) -> uint256: view

struct Status:
    amountOfStETH: uint256
    amountOfShares: uint256
    owner: address
    timestamp: uint256
    isFinalized: bool
    isClaimed: bool

event WithdrawalRequested:
    requestId: indexed(uint256)
    requestor: indexed(address)
    owner: indexed(address)
    amountOfStETH: uint256
    amountOfShares: uint256

event WithdrawalClaimed:
    requestId: indexed(uint256)
    owner: indexed(address)
    receiver: indexed(address)
    amountOfETH: uint256

staking: public(immutable(address))
isPaused: public(bool)
getLastRequestId: public(uint256)
getLastFinalizedRequestId: public(uint256)
requests: HashMap[uint256, Status]
payable_: HashMap[uint256, uint256]
mine: HashMap[address, DynArray[uint256, 64]]

@deploy
def __init__(staking_: address):
    staking = staking_

@payable
@external
def __default__():
    pass

@external
def setPaused(p: bool):
    # dev only
    self.isPaused = p

@external
def requestWithdrawals(amounts: DynArray[uint256, 16], owner: address) -> DynArray[uint256, 16]:
    assert not self.isPaused, "ResumedExpected"
    ids: DynArray[uint256, 16] = []
    for amount: uint256 in amounts:
        assert amount >= 100, "RequestAmountTooSmall"
        assert amount <= 1000 * 10**18, "RequestAmountTooLarge"
        shares: uint256 = staticcall Staking(staking).getSharesByPooledEth(amount)
        assert extcall Staking(staking).transferFrom(msg.sender, self, amount)
        self.getLastRequestId += 1
        id: uint256 = self.getLastRequestId
        self.requests[id] = Status(amountOfStETH=amount, amountOfShares=shares, owner=owner,
            timestamp=block.timestamp, isFinalized=False, isClaimed=False)
        self.mine[owner].append(id)
        ids.append(id)
        log WithdrawalRequested(requestId=id, requestor=msg.sender, owner=owner, amountOfStETH=amount,
            amountOfShares=shares)
    return ids

@external
def finalizeAll():
    # dev only: pays every request that waits, less what was lost since it was made
    for i: uint256 in range(256):
        if self.getLastFinalizedRequestId == self.getLastRequestId:
            break
        id: uint256 = self.getLastFinalizedRequestId + 1
        q: Status = self.requests[id]
        amount: uint256 = min(q.amountOfStETH, staticcall Staking(staking).getPooledEthByShares(q.amountOfShares))
        extcall Staking(staking).redeem(q.amountOfShares, amount)
        self.requests[id].isFinalized = True
        self.payable_[id] = amount
        self.getLastFinalizedRequestId = id

@external
def claimWithdrawals(ids: DynArray[uint256, 64], hints: DynArray[uint256, 64]):
    assert len(ids) == len(hints), "ArraysLengthMismatch"
    for i: uint256 in range(64):
        if i == len(ids):
            break
        id: uint256 = ids[i]
        q: Status = self.requests[id]
        assert hints[i] == 1, "InvalidHint"
        assert q.owner == msg.sender, "NotOwner"
        assert q.isFinalized, "RequestNotFoundOrNotFinalized"
        assert not q.isClaimed, "RequestAlreadyClaimed"
        self.requests[id].isClaimed = True
        left: DynArray[uint256, 64] = []
        for other: uint256 in self.mine[msg.sender]:
            if other != id:
                left.append(other)
        self.mine[msg.sender] = left
        raw_call(msg.sender, b"", value=self.payable_[id])
        log WithdrawalClaimed(requestId=id, owner=msg.sender, receiver=msg.sender, amountOfETH=self.payable_[id])

@view
@external
def getWithdrawalRequests(owner: address) -> DynArray[uint256, 64]:
    return self.mine[owner]

@view
@external
def getWithdrawalStatus(ids: DynArray[uint256, 64]) -> DynArray[Status, 64]:
    found: DynArray[Status, 64] = []
    for id: uint256 in ids:
        found.append(self.requests[id])
    return found

@view
@external
def getLastCheckpointIndex() -> uint256:
    return 1

@view
@external
def findCheckpointHints(ids: DynArray[uint256, 64], first: uint256, last: uint256) -> DynArray[uint256, 64]:
    hints: DynArray[uint256, 64] = []
    for id: uint256 in ids:
        hints.append(1)
    return hints

@view
@external
def getClaimableEther(ids: DynArray[uint256, 64], hints: DynArray[uint256, 64]) -> DynArray[uint256, 64]:
    amounts: DynArray[uint256, 64] = []
    for id: uint256 in ids:
        if self.requests[id].isFinalized and not self.requests[id].isClaimed:
            amounts.append(self.payable_[id])
        else:
            amounts.append(0)
    return amounts

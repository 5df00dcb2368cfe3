# pragma version ~=0.4.0
# Compound-v3-shaped CometRewards: pays what a market has tracked, in a token of 18 places.
interface IERC20:
    def transfer(to: address, amount: uint256) -> bool: nonpayable

interface Comet:
    def rewardAccrued(a: address) -> uint256: view

event RewardClaimed:
    src: indexed(address)
    recipient: indexed(address)
    token: indexed(address)
    amount: uint256

token: public(immutable(address))
rewardsClaimed: public(HashMap[address, HashMap[address, uint256]])

@deploy
def __init__(token_: address):
    token = token_

@external
def claim(comet: address, src: address, shouldAccrue: bool):
    owed: uint256 = staticcall Comet(comet).rewardAccrued(src) - self.rewardsClaimed[comet][src]
    if owed > 0:
        self.rewardsClaimed[comet][src] += owed
        assert extcall IERC20(token).transfer(src, owed)
        log RewardClaimed(src=src, recipient=src, token=token, amount=owed)

@external
def getRewardOwed(comet: address, account: address) -> (address, uint256):
    return token, staticcall Comet(comet).rewardAccrued(account) - self.rewardsClaimed[comet][account]

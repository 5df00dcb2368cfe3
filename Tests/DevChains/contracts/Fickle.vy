# pragma version ~=0.4.0
# What it does depends on the block: pays from its caller's allowance `early` up to block `turn` and `late` after that,
# as the second event where `is_second`; nothing reverts. Never use outside a dev chain.
interface Token:
    def transferFrom(owner: address, to: address, amount: uint256) -> bool: nonpayable

event Turned:
    number: uint256

@external
def pay(token: address, to: address, turn: uint256, early: uint256, late: uint256, is_second: uint256):
    amount: uint256 = early
    if block.number > turn:
        amount = late
        if is_second > 0:
            log Turned(number=block.number)
    assert amount > 0, "nothing"
    extcall Token(token).transferFrom(msg.sender, to, amount)

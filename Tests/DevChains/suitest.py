"""What suidev.py must do; on a fresh one. Argument: the ready file."""
import base64
import json
import sys
import urllib.request

from solders.keypair import Keypair

from suidev import SUI, blake

info = json.load(open(sys.argv[1]))


def post(url, body):
    return json.load(urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})))


def dev(m, *p):
    r = post(info["dev"], {"jsonrpc": "2.0", "id": 1, "method": m, "params": list(p)})
    if "error" in r:
        raise RuntimeError(r["error"]["message"])
    return r["result"]


def ask(query, **variables):
    r = post(info["rpc"], {"query": query, "variables": variables})
    if r.get("errors"):
        raise RuntimeError(r["errors"][0]["message"])
    return r["data"]


def refused(what, call, *args, **more):
    try:
        call(*args, **more)
    except RuntimeError as e:
        print("ok", what, "->", str(e)[:100])
    else:
        sys.exit(f"FAIL {what}: accepted")


def uleb(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + uleb(n >> 7)


def unb58(s):
    n = 0
    for c in s:
        n = n * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(c)
    return n.to_bytes(32, "big")


def payment(key, to, amount, gas, budget=10_000_000, epoch=9):
    me = address(key)
    ref = b"".join(bytes.fromhex(o["address"][2:]) + o["version"].to_bytes(8, "little") + b"\x20" + unb58(o["digest"]) for o in gas)
    data = b"\0\0" + b"\x02\0\x08" + amount.to_bytes(8, "little") + b"\0\x20" + to + b"\x02\x02\0\x01\x01\0\0\x01\x01\x03\0\0\0\0\x01\x01\0"
    data += me + uleb(len(gas)) + ref + me + (1000).to_bytes(8, "little") + budget.to_bytes(8, "little") + b"\x01" + epoch.to_bytes(8, "little")
    return data, b"\0" + bytes(key.sign_message(blake(b"\0\0\0" + data))) + bytes(key.pubkey())


def address(key):
    return blake(b"\0" + bytes(key.pubkey()))


def coins(owner):
    q = 'query($a: SuiAddress!) { address(address: $a) { objects(first: 5, filter: {type: "0x2::coin::Coin<0x2::sui::SUI>"}) { nodes { address version digest contents { json } } pageInfo { hasNextPage } } } }'
    return ask(q, a="0x" + owner.hex())["address"]["objects"]["nodes"]


def send(data, sig):
    q = "mutation($t: Base64!, $s: [Base64!]!) { executeTransaction(transactionDataBcs: $t, signatures: $s) { effects { status digest checkpoint { sequenceNumber } } errors } }"
    return ask(q, t=base64.b64encode(data).decode(), s=[base64.b64encode(sig).decode()])["executeTransaction"]["effects"]


def balance(owner, n=None):
    q = "query($n: UInt53, $a: SuiAddress!) { checkpoint(sequenceNumber: $n) { query { address(address: $a) { b: balance(coinType: \"0x2::sui::SUI\") { totalBalance } } } } }"
    return int(ask(q, n=n, a="0x" + owner.hex())["checkpoint"]["query"]["address"]["b"]["totalBalance"])


u, v = Keypair(), Keypair()
dev("dev_faucet", "0x" + address(u).hex(), "SUI", 10**9)
assert balance(address(u)) == 0
at = dev("dev_checkpoint")
assert balance(address(u)) == 10**9 and balance(address(u), at - 1) == 0
gas = coins(address(u))
data, sig = payment(u, address(v), 250, gas)
done = send(data, sig)
assert done["status"] == "SUCCESS" and done["checkpoint"] is None and send(data, sig) == done
assert balance(address(v)) == 0
dev("dev_checkpoint")
assert balance(address(v)) == 250 and 0 < 10**9 - 250 - balance(address(u)) < 10_000_000
refused("a coin that is spent", send, *payment(u, address(v), 251, gas))
refused("another's coin", send, *payment(v, address(v), 1, coins(address(u))))
refused("a changed transaction", send, data[:-9] + b"\x01" + (8).to_bytes(8, "little"), sig)
refused("another signer", send, payment(u, address(v), 1, coins(address(u)))[0], payment(v, address(v), 1, coins(address(u)))[1])
refused("too little gas", send, *payment(u, address(v), 1, coins(address(u)), budget=10**10))
refused("an epoch that is over", send, *payment(u, address(v), 1, coins(address(u)), epoch=0))
refused("an unknown field", ask, "{ checkpoint { number } }")
refused("no query", ask, "{ checkpoint { ")
failed = send(*payment(u, address(v), 10**12, coins(address(u))))
assert failed["status"] == "FAILURE"
dev("dev_checkpoint")
assert balance(address(v)) == 250 and SUI.endswith("::sui::SUI")
print("sui ok")

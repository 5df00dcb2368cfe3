#!/usr/bin/env python3
"""A stand-in for a Sui node: GraphQL on loopback over coins, payments and checkpoints.

    pip install solders eth-account          # ed25519 and secp256k1
    python suidev.py --port 9125 --ready-file READY.json

It is no Sui: it has no Move and knows coins alone. What it takes it checks as the chain does: the BCS of the transaction
to its last byte, the intent's signature in three schemes, owners, versions and digests of objects, the epoch, gas. A
transaction is in a checkpoint with the next `dev_checkpoint`, or at once with --auto.
Extra methods by JSON-RPC at /dev: dev_faucet [owner, coin, amount] · dev_checkpoint [n] · dev_epoch · dev_auto [bool]
· dev_fault {method, kind, count, seconds}, method: a field of the query's root · dev_stats · dev_info
"""
from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import pathlib
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from eth_keys.datatypes import NonRecoverableSignature
from eth_keys.datatypes import PublicKey as Secp256k1Key
from solders.pubkey import Pubkey
from solders.signature import Signature

from suigraphql import Node, QueryError, page, run

SUI = "0x" + "2".rjust(64, "0") + "::sui::SUI"
USDC = "0x" + hashlib.blake2b(b"suidev usdc", digest_size=32).hexdigest() + "::usdc::USDC"
PRICE, UNITS, STORAGE = 1000, 1000, 988_000
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# P-256 (FIPS 186-4, D.1.2.3)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296, 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def b58(b):
    n, out = int.from_bytes(b, "big"), ""
    while n:
        n, r = divmod(n, 58)
        out = ALPHABET[r] + out
    return "1" * (len(b) - len(b.lstrip(b"\0"))) + out


def blake(b):
    return hashlib.blake2b(b, digest_size=32).digest()


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    s = ((3 * p[0] * p[0] - 3) * pow(2 * p[1], -1, P) if p == q else (q[1] - p[1]) * pow(q[0] - p[0], -1, P)) % P
    x = (s * s - p[0] - q[0]) % P
    return x, (s * (p[0] - x) - p[1]) % P


def times(k, p):
    out = None
    while k:
        if k & 1:
            out = add(out, p)
        p, k = add(p, p), k >> 1
    return out


def r1(sig, msg, key):
    x = int.from_bytes(key[1:], "big")
    y = pow(x**3 - 3 * x + B, (P + 1) // 4, P)
    if (y * y - (x**3 - 3 * x + B)) % P or key[0] not in (2, 3):
        return False
    y = y if y & 1 == key[0] & 1 else P - y
    r, s, z = int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big"), int.from_bytes(hashlib.sha256(msg).digest(), "big")
    if not (0 < r < N and 0 < s <= N // 2):
        return False
    w = pow(s, -1, N)
    point = add(times(z * w % N, G), times(r * w % N, (x, y)))
    return point is not None and point[0] % N == r


def signed_by(sig, digest):
    """The address that a signature over a digest belongs to."""
    if not sig or sig[0] > 2 or len(sig) != (97 if sig[0] == 0 else 98):
        raise QueryError("Invalid user signature: unsupported scheme")
    body, key = sig[1:65], sig[65:]
    try:
        if sig[0] == 0:
            good = Signature(body).verify(Pubkey(key), digest)
        elif sig[0] == 1:
            half = int.from_bytes(body[32:], "big") <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
            good = half and Secp256k1Key.from_compressed_bytes(key).verify_msg_hash(hashlib.sha256(digest).digest(), NonRecoverableSignature(body))
        else:
            good = r1(body, digest, key)
    except Exception:
        good = False
    if not good:
        raise QueryError("Invalid user signature: Signature is not valid")
    return "0x" + blake(sig[:1] + key).hex()


class Bcs:
    def __init__(self, b):
        self.b, self.p = b, 0

    def take(self, n):
        if self.p + n > len(self.b):
            raise QueryError("Invalid BCS: too short")
        self.p += n
        return self.b[self.p - n:self.p]

    def int(self, n):
        return int.from_bytes(self.take(n), "little")

    def uleb(self):
        out = 0
        for shift in range(0, 28, 7):
            c = self.int(1)
            out |= (c & 127) << shift
            if c < 128:
                return out
        raise QueryError("Invalid BCS: length")

    def list(self, item):
        return [item() for _ in range(self.uleb())]

    def address(self):
        return "0x" + self.take(32).hex()

    def ref(self):
        return self.address(), self.int(8), b58(self.take(self.uleb()))

    def input(self):
        kind = self.uleb()
        if kind == 0:
            return "pure", self.take(self.uleb())
        if kind == 1 and self.uleb() == 0:
            return "object", self.ref()
        raise QueryError("Unsupported input")

    def arg(self):
        kind = self.uleb()
        return ("gas",) if kind == 0 else ("input", self.int(2)) if kind == 1 else ("result", self.int(2), 0) if kind == 2 else ("result", self.int(2), self.int(2))

    def command(self):
        kind = self.uleb()
        if kind == 1:
            return "transfer", self.list(self.arg), self.arg()
        if kind in (2, 3):
            return ("split", "merge")[kind - 2], self.arg(), self.list(self.arg)
        raise QueryError("Unsupported command")

    def transaction(self):
        if self.uleb() or self.uleb():
            raise QueryError("Unsupported transaction")
        t = {"inputs": self.list(self.input), "commands": self.list(self.command), "sender": self.address(),
             "gas": self.list(self.ref), "owner": self.address(), "price": self.int(8), "budget": self.int(8)}
        end = self.uleb()
        t["epoch"] = self.int(8) if end == 1 else None
        if end > 1 or self.p != len(self.b):
            raise QueryError("Invalid BCS: remaining input")
        return t


class Failed(Exception):
    pass


class SuiDev:
    def __init__(self, auto):
        self.lock, self.auto, self.epoch, self.made = threading.RLock(), auto, 1, 0
        self.objects, self.txs, self.waiting, self.checkpoints, self.history = {}, {}, [], [], []
        self.checkpoint()

    # ---- objects

    def touch(self, o, version):
        o["version"], o["digest"] = version, b58(blake(json.dumps([o["id"], version, o["owner"], o["balance"]]).encode()))

    def coin(self, owner, kind, amount, version):
        self.made += 1
        o = {"id": "0x" + blake(b"coin %d" % self.made).hex(), "owner": owner, "type": kind, "balance": amount}
        self.touch(o, version)
        self.objects[o["id"]] = o
        return o

    def balance(self, objects, owner, kind):
        return sum(o["balance"] for o in objects.values() if o["owner"] == owner and o["type"] == kind)

    def faucet(self, owner, kind, amount):
        kind = {"SUI": SUI, "USDC": USDC}.get(kind, kind)
        with self.lock:
            o = self.coin(owner, kind, int(amount), 1)
            self.seal(b58(blake(b"faucet" + o["id"].encode())), True, [0, 0, 0], [(owner, kind, int(amount))], [(o["id"], None)])
            return o["id"]

    # ---- transactions

    def owned(self, ref, sender):
        o = self.objects.get(ref[0])
        if o is None or (o["version"], o["digest"]) != ref[1:]:
            raise QueryError(f"Transaction needs to be rebuilt because object {ref[0]} version {ref[1]} is unavailable for consumption")
        if o["owner"] != sender:
            raise QueryError(f"Transaction was not signed by the correct sender: object {ref[0]} is owned by {o['owner']}")
        return o

    def execute(self, data, signatures):
        digest = b58(blake(b"TransactionData::" + data))
        if digest in self.txs:
            return self.txs[digest]                            # idempotent, as on the chain
        t = Bcs(data).transaction()
        if len(signatures) != 1 or signed_by(signatures[0], blake(b"\0\0\0" + data)) != t["sender"] or t["owner"] != t["sender"]:
            raise QueryError("Invalid user signature: Signature is not valid for the sender")
        if t["epoch"] is not None and t["epoch"] < self.epoch:
            raise QueryError("Transaction has expired: TransactionExpired")
        if t["price"] < PRICE:
            raise QueryError(f"Gas price {t['price']} under reference gas price (RGP) {PRICE}")
        gas = [self.owned(r, t["sender"]) for r in t["gas"]]
        used = gas + [self.owned(v, t["sender"]) for k, v in t["inputs"] if k == "object"]
        if len({o["id"] for o in used}) != len(used) or not gas or any(o["type"] != SUI for o in gas):
            raise QueryError("Mutable object used twice, or no coin for gas")
        if sum(o["balance"] for o in gas) < t["budget"] or t["budget"] < PRICE * UNITS:
            raise QueryError(f"Balance of gas object {sum(o['balance'] for o in gas)} is lower than the needed amount: {t['budget']}")
        return self.apply(digest, t, gas, used)

    def apply(self, digest, t, gas, used):
        before = {k: dict(o) for k, o in self.objects.items()}
        old = [(o["id"], o["version"]) for o in used]
        version = max(o["version"] for o in used) + 1
        for o in gas[1:]:
            gas[0]["balance"] += o["balance"]
            del self.objects[o["id"]]
        merged = {k: dict(o) for k, o in self.objects.items()}
        try:
            made, gone, succeeded = *self.commands(t, gas[0], version), True
        except Failed:
            # What it did is undone, what it costs is not.
            self.objects, made, gone, succeeded = merged, 0, 0, False
        cost = [t["price"] * UNITS, STORAGE * (made + len(used) - gone), (STORAGE * 99 // 100) * len(used)]
        fee = sum(cost[:2]) - cost[2]
        coin = self.objects[gas[0]["id"]]
        if coin["balance"] < fee:
            self.objects, succeeded = merged, False
            coin, cost = merged[gas[0]["id"]], [t["price"] * UNITS, 0, 0]
            fee = cost[0]
        coin["balance"] -= fee
        for k, o in self.objects.items():
            if k in dict(old) or k not in before:
                self.touch(o, version)
        owners = {(o["owner"], o["type"]) for o in list(before.values()) + list(self.objects.values())}
        moves = [(a, c, self.balance(self.objects, a, c) - self.balance(before, a, c)) for a, c in sorted(owners)]
        return self.seal(digest, succeeded, cost, [m for m in moves if m[2]], old)

    def commands(self, t, gas, version):
        """How many objects were made and how many are gone."""
        results, made, gone = [], 0, 0

        def coin(arg):
            o = gas if arg[0] == "gas" else self.objects.get(t["inputs"][arg[1]][1][0]) if arg[0] == "input" else results[arg[1]][arg[2]]
            if o is None:
                raise Failed
            return o

        for name, first, second in t["commands"]:
            if name == "split":
                out = []
                for a in second:
                    source, amount = coin(first), int.from_bytes(t["inputs"][a[1]][1], "little")
                    if amount > source["balance"]:
                        raise Failed
                    source["balance"] -= amount
                    out.append(self.coin(t["sender"], source["type"], amount, version))
                    made += 1
                results.append(out)
            elif name == "merge":
                for a in second:
                    target, other = coin(first), coin(a)
                    if target["type"] != other["type"] or target is other:
                        raise Failed
                    target["balance"] += other["balance"]
                    del self.objects[other["id"]]
                    gone += 1
                results.append([])
            else:
                for a in first:
                    coin(a)["owner"] = "0x" + t["inputs"][second[1]][1].hex()
                results.append([])
        return made, gone

    def seal(self, digest, succeeded, cost, moves, inputs):
        tx = {"digest": digest, "ok": succeeded, "cost": cost, "moves": moves, "inputs": inputs, "checkpoint": None}
        self.txs[digest] = tx
        self.waiting.append(tx)
        if self.auto:
            self.checkpoint()
        return tx

    def checkpoint(self, n=1):
        with self.lock:
            for _ in range(int(n)):
                number, previous = len(self.checkpoints), self.checkpoints[-1]["digest"] if self.checkpoints else None
                c = {"number": number, "previous": previous, "txs": self.waiting, "epoch": self.epoch, "time": time.time(),
                     "digest": b58(blake(json.dumps([number, previous, os.getpid(), [t["digest"] for t in self.waiting]]).encode()))}
                for t in self.waiting:
                    t["checkpoint"] = c
                self.waiting = []
                self.checkpoints.append(c)
                self.history.append({k: dict(o) for k, o in self.objects.items()})
            return len(self.checkpoints) - 1

    def next_epoch(self):
        with self.lock:
            self.epoch += 1
            self.checkpoint()
            return self.epoch


class Graph:
    def __init__(self, s):
        self.s = s

    def roots(self):
        return {"query": self.query(len(self.s.checkpoints) - 1), "mutation": Node(executeTransaction=self.execute)}

    def query(self, number):
        return Node(
            chainIdentifier="5d1dev00", checkpoint=lambda sequenceNumber=None: self.checkpoint(number, sequenceNumber),
            address=lambda address: self.address(number, address), object=lambda address: self.object(number, address),
            transaction=lambda digest: self.transaction(self.s.txs.get(digest), number))

    def checkpoint(self, newest, number):
        number = newest if number is None else number
        if not 0 <= number <= newest:
            return None
        c = self.s.checkpoints[number]
        return Node(
            sequenceNumber=number, digest=c["digest"], previousCheckpointDigest=c["previous"], query=lambda: self.query(number),
            timestamp=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(c["time"])) + ".%03dZ" % (c["time"] % 1 * 1000),
            epoch=Node(epochId=c["epoch"], referenceGasPrice=str(PRICE)),
            transactions=lambda first=None, after=None: page([self.transaction(t, newest) for t in c["txs"]], first, after))

    def transaction(self, t, newest):
        # What isn't in a checkpoint isn't indexed yet.
        if t is None or t["checkpoint"] is None or t["checkpoint"]["number"] > newest:
            return None
        return Node(digest=t["digest"], effects=self.effects(t, newest))

    def effects(self, t, newest):
        computation, storage, rebate = t["cost"]
        c = t["checkpoint"]
        return Node(
            status="SUCCESS" if t["ok"] else "FAILURE", digest=t["digest"],
            checkpoint=lambda: c and self.checkpoint(newest, c["number"]),
            gasEffects=Node(gasSummary=Node(computationCost=computation, storageCost=storage, storageRebate=rebate, nonRefundableStorageFee=0)),
            balanceChangesJson=[{"address": a, "coinType": k, "amount": str(n)} for a, k, n in t["moves"]],
            objectChanges=lambda first=None, after=None: page(
                [Node(address=i, inputState=None if v is None else Node(address=i, version=v)) for i, v in t["inputs"]], first, after))

    def object(self, number, address):
        return self.node(self.s.history[number].get(address))

    @staticmethod
    def node(o):
        return o and Node(address=o["id"], version=o["version"], digest=o["digest"], contents=Node(json={"id": o["id"], "balance": str(o["balance"])}))

    def address(self, number, address):
        mine = [o for o in self.s.history[number].values() if o["owner"] == address]

        def full(kind):
            package, rest = kind.split("::", 1)
            return "0x" + package[2:].rjust(64, "0") + "::" + rest

        def objects(first=None, after=None, filter=None):
            kind = (filter or {}).get("type", "")
            if not (kind.startswith("0x2::coin::Coin<") and kind.endswith(">")):
                raise QueryError("suidev has coins only")
            found = sorted((o for o in mine if o["type"] == full(kind[16:-1])), key=lambda o: o["id"])
            return page([self.node(o) for o in found], first, after)

        return Node(
            address=address, objects=objects,
            balance=lambda coinType: Node(coinType=Node(repr=full(coinType)), totalBalance=str(sum(o["balance"] for o in mine if o["type"] == full(coinType)))))

    def execute(self, transactionDataBcs, signatures):
        try:
            data, sigs = base64.b64decode(transactionDataBcs, validate=True), [base64.b64decode(x, validate=True) for x in signatures]
        except ValueError:
            raise QueryError("Invalid Base64") from None
        t = self.s.execute(data, sigs)
        return Node(effects=self.effects(t, len(self.s.checkpoints) - 1), errors=None)


class Dropped(Exception):
    pass


class Server:
    def __init__(self, s):
        self.s, self.url, self.faults, self.stats, self.lies = s, "", [], {}, []
        self.table = {"dev_faucet": s.faucet, "dev_checkpoint": s.checkpoint, "dev_epoch": s.next_epoch, "dev_fault": self.add_fault,
                      "dev_lie": self.lie, "dev_truth": lambda: self.lies.clear() or True,
                      "dev_auto": lambda on: setattr(s, "auto", bool(on)), "dev_stats": lambda: self.stats, "dev_info": self.info}

    def info(self):
        return {"rpc": self.url, "dev": self.url.replace("/graphql", "/dev"), "pid": os.getpid(), "chain": "sui:localnet", "tokens": {"USDC": USDC}}

    def add_fault(self, f):
        f = {"kind": "error", "count": 1, "seconds": 1, **f}
        if not f.get("method") or f["kind"] not in ("error", "delay", "late", "drop", "lost", "garbage"):
            raise QueryError("dev_fault needs a method and a known kind")
        # None of a method takes back what is left of earlier ones.
        self.faults = [x for x in self.faults if f["count"] or x["method"] != f["method"]] + [f]
        return True

    def fault(self, text):
        f = next((f for f in self.faults if f["count"] > 0 and (f["method"] == "*" or f["method"] in text)), None)
        if f:
            f["count"] -= 1
        return f

    def lie(self, field, old, new):
        self.lies.append((field, old, new))
        return True

    def said(self, text, answer):
        """What is so, with what this node was told to say instead of something."""
        for field, old, new in self.lies:
            if field in text:
                answer = json.loads(json.dumps(answer).replace(old, new))
        return answer

    def graphql(self, req):
        text = req.get("query") or ""
        f = self.fault(text)
        kind = f and f["kind"]
        name = next((w for w in ("executeTransaction", "transactions", "objects", "balance", "transaction", "object", "checkpoint") if w in text), "other")
        self.stats[name] = self.stats.get(name, 0) + 1
        if kind == "drop":
            raise Dropped
        if kind == "delay":
            time.sleep(float(f["seconds"]))
        if kind == "garbage":
            return {"data": "0x"}
        try:
            if kind == "error":
                raise QueryError("Request timed out", "REQUEST_TIMEOUT")
            with self.s.lock:
                out = {"data": self.said(text, run(text, req.get("variables") or {}, Graph(self.s).roots()))}
        except QueryError as e:
            out = {"data": None, "errors": [{"message": str(e), "extensions": {"code": e.code}}]}
        if kind == "lost":
            raise Dropped
        if kind == "late":
            time.sleep(float(f["seconds"]))
        return out

    def dev(self, req):
        rid = req.get("id")
        try:
            return {"jsonrpc": "2.0", "id": rid, "result": self.table[req["method"]](*(req.get("params") or []))}
        except (KeyError, TypeError, ValueError, QueryError) as e:
            return {"jsonrpc": "2.0", "id": rid, "error": {"code": -32602, "message": str(e)}}


def handler(first, second):
    class H(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            try:
                req = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                # The same chain by another node, with faults and lies of its own.
                server = second if self.path.startswith("/second") else first
                out = (server.dev if self.path.endswith("/dev") else server.graphql)(req)
            except Dropped:
                self.close_connection = True
                self.connection.close()
                return
            except (ValueError, AttributeError):
                out = {"data": None, "errors": [{"message": "Bad request"}]}
            b = json.dumps(out).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(b)))
            self.end_headers()
            self.wfile.write(b)

        def log_message(self, *_):
            pass
    return H


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--port", type=int, default=9125)
    p.add_argument("--auto", action="store_true", help="a checkpoint with each transaction")
    p.add_argument("--ready-file")
    a = p.parse_args()
    server = Server(SuiDev(a.auto))
    srv = ThreadingHTTPServer(("127.0.0.1", a.port), handler(server, Server(server.s)))
    srv.daemon_threads = True
    server.url = f"http://127.0.0.1:{srv.server_address[1]}/graphql"
    info = json.dumps(server.info(), indent=1)
    print(info, flush=True)
    if a.ready_file:
        t = pathlib.Path(a.ready_file + ".tmp")
        t.write_text(info)
        t.rename(a.ready_file)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=srv.shutdown, daemon=True).start())
    srv.serve_forever()


if __name__ == "__main__":
    sys.exit(main())

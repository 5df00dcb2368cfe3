#!/usr/bin/env python3
"""A real local EVM chain (py-evm, Prague rules) behind Ethereum JSON-RPC on loopback.

    pip install -r requirements.txt
    python devchain.py --port 8545 --ready-file READY.json

Prints one JSON object (chain id, funded accounts, deployed contract addresses) and serves until
SIGTERM.  Contracts come from contracts.json (build_contracts.py).  Beyond the standard methods:

    evm_mine [n] · evm_setAutomine bool · evm_increaseTime s · evm_setNextBlockTimestamp t
    dev_reorg {depth, keep: bool}     replace the last `depth` blocks by depth+1 new ones; with keep the
                                      transactions go back to the mempool and are mined again, else dropped
    dev_fault {method, kind: error|delay|late|drop|lost|garbage|lag, count, seconds}
                                      faults of the next calls: delay waits before a call is made and late after
                                      it, drop closes the connection before it is made and lost after it; `*` is
                                      every method of a node; dev_stats counts those that were met (fault.KIND);
                                      lag answers as a node does that has the newest block not yet, its transactions
                                      still waiting; what is sent is taken as ever
    dev_heal                          forgets faults that no call has met
    dev_lie {method, about, value}    what is answered from now on to calls of a method whose parameters have that text;
                                      dev_truth ends all lies
    dev_setBalance [address, wei] · dev_mint [token, to, amount] · dev_info · dev_stats

The private keys below are derived from public text: they hold no value anywhere.
"""
from __future__ import annotations

import argparse
import json
import logging
import math
import os
import pathlib
import signal
import sys
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import rlp
from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.estimators.gas import binary_gas_search_1000_tolerance
from eth.exceptions import VMError
from eth.vm.forks import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_abi import decode as abi_decode, encode as abi_encode
from eth_account import Account
from eth_utils import ValidationError, keccak, to_checksum_address

HERE = pathlib.Path(__file__).resolve().parent
GWEI = 10**9
ETHER = 10**18
GAS_LIMIT = 30_000_000
CHAIN_ID = 31337
VERSION = "diboas-devchain/1"
# What a node that lags does as any other.
CHANGING = {"eth_sendRawTransaction", "eth_signTransaction"}


# ------------------------------------------------------------------ encoding helpers
def q(n: int) -> str:
    return hex(n)


def d(b: bytes) -> str:
    return "0x" + b.hex()


def addr(b: bytes) -> str:
    return d(b)


def unq(v) -> int:
    if isinstance(v, int):
        return v
    if not isinstance(v, str) or not v.startswith("0x"):
        raise RpcError(-32602, f"invalid quantity {v!r}")
    return int(v, 16)


def und(v) -> bytes:
    if v is None:
        return b""
    if not isinstance(v, str) or not v.startswith("0x") or len(v) % 2:
        raise RpcError(-32602, f"invalid data {v!r}")
    try:
        return bytes.fromhex(v[2:])
    except ValueError:
        raise RpcError(-32602, f"invalid data {v!r}") from None


def unaddr(v) -> bytes:
    b = und(v)
    if len(b) != 20:
        raise RpcError(-32602, f"invalid address {v!r}")
    return b


class RpcError(Exception):
    def __init__(self, code: int, message: str, data=None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class Dropped(Exception):
    """dev_fault asked to close the connection without an answer."""


def revert_error(err: VMError) -> RpcError:
    raw = err.args[0] if err.args and isinstance(err.args[0], bytes) else b""
    if raw[:4] == bytes.fromhex("08c379a0"):
        try:
            return RpcError(3, "execution reverted: " + abi_decode(["string"], raw[4:])[0], d(raw))
        except Exception:
            pass
    if raw or type(err).__name__ == "Revert":
        return RpcError(3, "execution reverted", d(raw))
    return RpcError(-32000, f"{type(err).__name__}: {err}")


def gas_needed(state, tx) -> int:
    """What a call takes, as geth finds it: with all gas there is, then with what that took and a 64th more, which calls
    within keep back (EIP-150); searched for only where that isn't enough."""
    if not tx.data and not state.get_code(tx.to):
        return tx.intrinsic_gas
    def run(gas):
        snapshot = state.snapshot()
        try:
            return state.apply_transaction(SpoofTransaction(tx, gas=gas, gas_price=0))
        finally:
            state.revert(snapshot)
    whole = run(state.gas_limit)
    whole.raise_if_error()
    gas = (tx.intrinsic_gas + whole.get_gas_used() + 2_300) * 64 // 63
    return gas if run(gas).is_success else binary_gas_search_1000_tolerance(state, tx)


# ------------------------------------------------------------------ the chain
class DevChain:
    def __init__(self, accounts: list[bytes], chain_id: int = CHAIN_ID, genesis_time: int | None = None):
        self.lock = threading.RLock()
        self.chain_id = chain_id
        self.automine = True
        self.time_offset = 0
        self.next_timestamp: int | None = None
        self.mempool: dict[bytes, object] = {}
        self.arrival: dict[bytes, int] = {}
        self.seq = 0
        self.cls = type("DevMiningChain", (MiningChain,), {
            "chain_id": chain_id,
            "vm_configuration": ((0, PragueVM),),
            "gas_estimator": staticmethod(gas_needed),
            # a constant gas limit instead of the adjusting one
            "create_header_from_parent": lambda s, parent, **kw: MiningChain.create_header_from_parent(
                s, parent, **{**kw, "gas_limit": parent.gas_limit}),
        })
        params = {
            "coinbase": constants.ZERO_ADDRESS, "difficulty": 0, "extra_data": VERSION.encode(),
            "gas_limit": GAS_LIMIT, "mix_hash": bytes(32), "nonce": bytes(8),
            "receipt_root": constants.BLANK_ROOT_HASH, "transaction_root": constants.BLANK_ROOT_HASH,
            "timestamp": genesis_time if genesis_time is not None else int(time.time()),
        }
        state = {a: {"balance": 10_000 * ETHER, "nonce": 0, "code": b"", "storage": {}} for a in accounts}
        self.db = AtomicDB()
        self.chain = self.cls.from_genesis(self.db, params, state)
        self.canon = [self.chain.get_canonical_head()]        # headers by number
        self.block_of: dict[bytes, tuple[int, int]] = {}      # tx hash -> (number, index), canonical only
        self.number_of = {self.canon[0].hash: 0}
        self.stats: dict[str, int] = defaultdict(int)
        self.generation = 0                                    # counts resets
        self.keep()

    # -- views
    @property
    def head(self):
        return self.canon[-1]

    def header(self, tag):
        if isinstance(tag, dict):                              # EIP-1898
            if "blockHash" in tag:
                n = self.number_of.get(und(tag["blockHash"]))
                if n is None:
                    raise RpcError(-32001, "header not found")
                return self.canon[n]
            tag = tag.get("blockNumber", "latest")
        if tag in (None, "latest", "pending"):
            return self.head
        if tag == "earliest":
            return self.canon[0]
        if tag == "safe":
            return self.canon[max(0, len(self.canon) - 33)]
        if tag == "finalized":
            return self.canon[max(0, len(self.canon) - 65)]
        n = unq(tag)
        if n >= len(self.canon):
            raise RpcError(-32001, "header not found")
        return self.canon[n]

    def state_at(self, tag):
        return self.chain.get_vm(self.chain.create_header_from_parent(self.header(tag))).state

    def nonce(self, a: bytes, tag="latest") -> int:
        n = self.state_at(tag).get_nonce(a)
        if tag == "pending":
            mine = {t.nonce for t in self.mempool.values() if t.sender == a}
            while n in mine:
                n += 1
        return n

    # -- calls
    def _spoof(self, call: dict, tag, gas: int):
        sender = unaddr(call["from"]) if call.get("from") else bytes(20)
        to = unaddr(call["to"]) if call.get("to") else b""
        tx = self.chain.create_unsigned_transaction(
            nonce=self.nonce(sender, tag if tag != "pending" else "latest"), gas_price=0, gas=gas, to=to,
            value=unq(call.get("value", 0)), data=und(call.get("input", call.get("data"))))
        return SpoofTransaction(tx, from_=sender)

    def call(self, call: dict, tag="latest") -> bytes:
        at = self.chain.create_header_from_parent(self.header(tag))
        gas = min(unq(call.get("gas", GAS_LIMIT)), GAS_LIMIT)
        try:
            return self.chain.get_transaction_result(self._spoof(call, tag, gas), at)
        except VMError as e:
            raise revert_error(e) from None
        except ValidationError as e:
            raise RpcError(-32000, str(e)) from None

    def estimate(self, call: dict, tag="latest") -> int:
        at = self.chain.create_header_from_parent(self.header(tag))
        try:
            return self.chain.estimate_gas(self._spoof(call, tag, GAS_LIMIT), at)
        except VMError as e:
            raise revert_error(e) from None
        except ValidationError as e:
            raise RpcError(-32000, str(e)) from None

    # -- transactions
    def next_base_fee(self) -> int:
        return self.chain.create_header_from_parent(self.head).base_fee_per_gas

    def send_raw(self, raw: bytes) -> bytes:
        try:
            tx = self.chain.get_vm().get_transaction_builder().decode(raw)
            tx.validate()
            sender = tx.sender
        except Exception as e:
            raise RpcError(-32000, f"invalid transaction: {type(e).__name__}: {e}") from None
        if raw[0] >= 0xC0 and getattr(tx, "chain_id", None) is None:
            raise RpcError(-32000, "only replay-protected (EIP-155) transactions allowed over RPC")
        if tx.chain_id not in (None, self.chain_id):
            raise RpcError(-32000, f"invalid chain id for signer: have {tx.chain_id} want {self.chain_id}")
        if tx.hash in self.mempool or tx.hash in self.block_of:
            raise RpcError(-32000, "already known")
        st = self.state_at("latest")
        if tx.nonce < st.get_nonce(sender):
            raise RpcError(-32000, f"nonce too low: next nonce {st.get_nonce(sender)}, tx nonce {tx.nonce}")
        if tx.gas < tx.intrinsic_gas:
            raise RpcError(-32000, f"intrinsic gas too low: gas {tx.gas}, minimum needed {tx.intrinsic_gas}")
        if tx.gas > GAS_LIMIT:
            raise RpcError(-32000, "exceeds block gas limit")
        if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
            raise RpcError(-32000, "max priority fee per gas higher than max fee per gas")
        if self.automine and tx.max_fee_per_gas < self.next_base_fee():
            raise RpcError(-32000, "max fee per gas less than block base fee: "
                                   f"maxFeePerGas: {tx.max_fee_per_gas}, baseFee: {self.next_base_fee()}")
        if st.get_balance(sender) < tx.value + tx.gas * tx.max_fee_per_gas:
            raise RpcError(-32000, "insufficient funds for gas * price + value")
        for h, other in list(self.mempool.items()):            # replacement by fee, 10 %
            if other.sender == sender and other.nonce == tx.nonce:
                if (tx.max_fee_per_gas * 10 < other.max_fee_per_gas * 11
                        or tx.max_priority_fee_per_gas * 10 < other.max_priority_fee_per_gas * 11):
                    raise RpcError(-32000, "replacement transaction underpriced")
                del self.mempool[h]
        self.mempool[tx.hash] = tx
        self.seq += 1
        self.arrival[tx.hash] = self.seq
        if self.automine:
            self.mine()
        return tx.hash

    def _ready(self, base_fee: int):
        """Executable transactions, best tip first, per-sender nonce order."""
        st = self.state_at("latest")
        queues = defaultdict(list)
        for t in self.mempool.values():
            queues[t.sender].append(t)
        heads = {}
        for s, ts in queues.items():
            ts.sort(key=lambda t: t.nonce)
            heads[s] = st.get_nonce(s)
        while True:
            best = None
            for s, ts in queues.items():
                if ts and ts[0].nonce == heads[s] and ts[0].max_fee_per_gas >= base_fee:
                    tip = min(ts[0].max_priority_fee_per_gas, ts[0].max_fee_per_gas - base_fee)
                    key = (tip, -self.arrival[ts[0].hash])
                    if best is None or key > best[0]:
                        best = (key, s)
            if best is None:
                return
            s = best[1]
            yield queues[s].pop(0)
            heads[s] += 1

    def mine(self, count: int = 1, include: bool = True) -> None:
        for _ in range(count):
            parent = self.head
            self.chain.header = self.chain.create_header_from_parent(parent)
            ts = self.next_timestamp if self.next_timestamp is not None else int(time.time()) + self.time_offset
            self.next_timestamp = None
            self.chain.set_header_timestamp(max(parent.timestamp + 1, ts))
            used = 0
            if include:
                for tx in list(self._ready(self.chain.header.base_fee_per_gas)):
                    if used + tx.gas > GAS_LIMIT:
                        continue
                    try:
                        self.chain.apply_transaction(tx)
                    except ValidationError as e:
                        logging.warning("dropped %s: %s", d(tx.hash), e)
                        self.mempool.pop(tx.hash, None)
                        continue
                    used = self.chain.header.gas_used
                    self.mempool.pop(tx.hash)
            block = self.chain.mine_block(coinbase=constants.ZERO_ADDRESS, mix_hash=os.urandom(32), blob_gas_used=0)
            n = block.number
            self.canon.append(block.header)
            self.number_of[block.hash] = n
            for i, tx in enumerate(block.transactions):
                self.block_of[tx.hash] = (n, i)

    def reorg(self, depth: int, keep: bool) -> dict:
        if not 1 <= depth < len(self.canon):
            raise RpcError(-32602, "bad depth")
        dropped = self.canon[-depth:]
        txs = []
        for h in dropped:
            blk = self.chain.get_block_by_header(h)
            for tx in blk.transactions:
                self.block_of.pop(tx.hash, None)
                txs.append(tx)
            self.number_of.pop(h.hash, None)
        self.canon = self.canon[:-depth]
        self.chain = self.cls(self.db, self.chain.create_header_from_parent(self.head))
        if keep:
            self.mine(1, include=False)                        # the old block numbers must not match
            for tx in txs:
                self.seq += 1
                self.mempool[tx.hash], self.arrival[tx.hash] = tx, self.seq
            self.mine(depth)
        else:
            self.mine(depth + 1, include=False)
        return {"removed": [d(h.hash) for h in dropped], "transactions": [d(t.hash) for t in txs],
                "head": d(self.head.hash), "number": q(len(self.canon) - 1)}

    def keep(self) -> None:
        """What is there now is what a reset goes back to."""
        self.kept = list(self.canon), dict(self.number_of), dict(self.block_of)

    def reset(self) -> bool:
        """As good as new, for the next test: what was asked before and comes late isn't done."""
        self.generation += 1
        canon, number_of, block_of = self.kept
        self.canon, self.number_of, self.block_of = list(canon), dict(number_of), dict(block_of)
        self.chain = self.cls(self.db, self.chain.create_header_from_parent(self.head))
        self.automine, self.time_offset, self.next_timestamp = True, 0, None
        self.mempool.clear()
        self.arrival.clear()
        self.stats.clear()
        return True

    # -- serialisation
    def tx_json(self, tx, header=None, index=None) -> dict:
        typ = getattr(tx, "type_id", None) or 0
        base = header.base_fee_per_gas if header is not None else self.next_base_fee()
        out = {
            "hash": d(tx.hash), "nonce": q(tx.nonce), "from": addr(tx.sender),
            "to": addr(tx.to) if tx.to else None, "value": q(tx.value), "gas": q(tx.gas), "input": d(tx.data),
            "type": q(typ), "chainId": q(self.chain_id), "r": q(tx.r), "s": q(tx.s),
            "blockHash": d(header.hash) if header is not None else None,
            "blockNumber": q(header.block_number) if header is not None else None,
            "transactionIndex": q(index) if index is not None else None,
            "gasPrice": q(min(tx.max_fee_per_gas, base + tx.max_priority_fee_per_gas)),
        }
        if typ:
            out["yParity"] = out["v"] = q(tx.y_parity)
            out["accessList"] = [{"address": addr(a), "storageKeys": [d(k.to_bytes(32, "big")) for k in ks]}
                                 for a, ks in tx.access_list]
        else:
            out["v"] = q(tx.v)
        if typ in (2, 4):
            out["maxFeePerGas"], out["maxPriorityFeePerGas"] = q(tx.max_fee_per_gas), q(tx.max_priority_fee_per_gas)
        return out

    def block_json(self, header, full: bool) -> dict:
        blk = self.chain.get_block_by_header(header)
        return {
            "number": q(header.block_number), "hash": d(header.hash), "parentHash": d(header.parent_hash),
            "timestamp": q(header.timestamp), "miner": addr(header.coinbase), "gasLimit": q(header.gas_limit),
            "gasUsed": q(header.gas_used), "baseFeePerGas": q(header.base_fee_per_gas),
            "stateRoot": d(header.state_root), "transactionsRoot": d(header.transaction_root),
            "receiptsRoot": d(header.receipt_root), "logsBloom": "0x" + format(header.bloom, "0512x"),
            "extraData": d(header.extra_data), "mixHash": d(header.mix_hash), "nonce": d(header.nonce),
            "sha3Uncles": d(header.uncles_hash), "difficulty": "0x0", "size": q(len(rlp.encode(blk))),
            "uncles": [], "withdrawals": [],
            "transactions": [self.tx_json(t, header, i) if full else d(t.hash)
                             for i, t in enumerate(blk.transactions)],
        }

    def logs_of(self, header) -> list[dict]:
        if not header.bloom:
            return []
        blk = self.chain.get_block_by_header(header)
        out, li = [], 0
        for ti, (tx, rc) in enumerate(zip(blk.transactions, blk.get_receipts(self.chain.chaindb))):
            for lg in rc.logs:
                out.append({"address": addr(lg.address), "topics": [d(t.to_bytes(32, "big")) for t in lg.topics],
                            "data": d(lg.data), "blockNumber": q(header.block_number), "blockHash": d(header.hash),
                            "transactionHash": d(tx.hash), "transactionIndex": q(ti), "logIndex": q(li),
                            "removed": False})
                li += 1
        return out

    def receipt(self, h: bytes):
        at = self.block_of.get(h)
        if at is None:
            return None
        n, i = at
        header = self.canon[n]
        blk = self.chain.get_block_by_header(header)
        receipts = blk.get_receipts(self.chain.chaindb)
        tx, rc = blk.transactions[i], receipts[i]
        before = receipts[i - 1].gas_used if i else 0
        created = keccak(rlp.encode([tx.sender, tx.nonce]))[12:] if not tx.to else None
        return {
            "transactionHash": d(h), "transactionIndex": q(i), "blockHash": d(header.hash), "blockNumber": q(n),
            "from": addr(tx.sender), "to": addr(tx.to) if tx.to else None,
            "cumulativeGasUsed": q(rc.gas_used), "gasUsed": q(rc.gas_used - before),
            "effectiveGasPrice": q(min(tx.max_fee_per_gas, header.base_fee_per_gas + tx.max_priority_fee_per_gas)),
            "contractAddress": addr(created) if created else None, "type": q(getattr(tx, "type_id", None) or 0),
            "status": q(1 if rc.state_root == b"\x01" else 0),
            "logs": [x for x in self.logs_of(header) if x["transactionHash"] == d(h)],
            "logsBloom": "0x" + format(rc.bloom, "0512x"),
        }

    def get_logs(self, f: dict) -> list[dict]:
        if "blockHash" in f:
            n = self.number_of.get(und(f["blockHash"]))
            if n is None:
                raise RpcError(-32001, "unknown block")
            lo = hi = n
        else:
            lo = f.get("fromBlock", "latest")
            # Above the newest block there is nothing, as geth had it for long; others still have.
            lo = unq(lo) if isinstance(lo, str) and lo.startswith("0x") else self.header(lo).block_number
            to = f.get("toBlock", "latest")
            hi = len(self.canon) - 1 if to in ("latest", "pending") else min(
                self.header(to).block_number if isinstance(to, str) and not to.startswith("0x") else unq(to),
                len(self.canon) - 1)
        if hi - lo > 10_000:
            raise RpcError(-32005, "query exceeds max block range 10000")
        a = f.get("address")
        allow = None if a is None else {x.lower() for x in ([a] if isinstance(a, str) else a)}
        want = f.get("topics") or []
        out = []
        for n in range(lo, hi + 1):
            for lg in self.logs_of(self.canon[n]):
                if allow is not None and lg["address"] not in allow:
                    continue
                ok = len(lg["topics"]) >= len(want)
                for i, t in enumerate(want):
                    if not ok:
                        break
                    if t is not None:
                        ok = lg["topics"][i] in {x.lower() for x in ([t] if isinstance(t, str) else t)}
                if ok:
                    out.append(lg)
        return out

    def fee_history(self, count: int, newest, percentiles) -> dict:
        hi = self.header(newest).block_number
        count = max(1, min(count, 1024, hi + 1))
        hs = self.canon[hi - count + 1: hi + 1]
        nxt = self.chain.create_header_from_parent(hs[-1]).base_fee_per_gas
        out = {"oldestBlock": q(hs[0].block_number),
               "baseFeePerGas": [q(h.base_fee_per_gas) for h in hs] + [q(nxt)],
               "gasUsedRatio": [h.gas_used / h.gas_limit for h in hs]}
        if percentiles:
            out["reward"] = []
            for h in hs:
                blk = self.chain.get_block_by_header(h)
                prev, tips = 0, []
                for tx, rc in zip(blk.transactions, blk.get_receipts(self.chain.chaindb)):
                    tips.append((min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - h.base_fee_per_gas),
                                 rc.gas_used - prev))
                    prev = rc.gas_used
                tips.sort()
                row = []
                for p in percentiles:
                    goal, acc, val = h.gas_used * p / 100, 0, 0
                    for tip, gas in tips:
                        acc, val = acc + gas, tip
                        if acc >= goal:
                            break
                    row.append(q(val))
                out["reward"].append(row)
        return out


# ------------------------------------------------------------------ fixture: accounts and contracts
def dev_keys(n: int) -> list[bytes]:
    return [keccak(text=f"diboas devchain account {i}") for i in range(n)]


def custodian_key() -> bytes:
    """Signs what `eth_signTransaction` is asked for; of no account that tests give to people."""
    return keccak(text="diboas devchain custodian")


class Fixture:
    """Deploys the sample contracts through the same signed-transaction path that users take."""

    def __init__(self, chain: DevChain, keys: list[bytes]):
        self.chain, self.keys = chain, keys
        self.deployer = Account.from_key(keys[0])
        self.artifacts = json.loads((HERE / "contracts.json").read_text())
        self.contracts: dict[str, str] = {}

    def send(self, key: bytes, to: bytes | None, data: bytes, value: int = 0) -> dict:
        c, acct = self.chain, Account.from_key(key)
        sender = und(acct.address.lower())
        tx = {"type": 2, "chainId": c.chain_id, "nonce": c.nonce(sender), "value": value, "data": data,
              "maxPriorityFeePerGas": GWEI, "maxFeePerGas": 2 * c.next_base_fee() + GWEI, "gas": 6_000_000}
        if to:
            tx["to"] = to_checksum_address(to)
        h = c.send_raw(bytes(acct.sign_transaction(tx).raw_transaction))
        r = c.receipt(h)
        if r is None or r["status"] != "0x1":
            raise RuntimeError(f"fixture transaction failed: {r}")
        return r

    def deploy(self, label: str, name: str, types: list[str], args: list) -> str:
        code = und(self.artifacts[name]["bytecode"])
        r = self.send(self.keys[0], None, code + abi_encode(types, args))
        self.contracts[label] = to_checksum_address(r["contractAddress"])
        return self.contracts[label]

    def call_fn(self, label: str, sig: str, args: list, value: int = 0) -> dict:
        types = sig[sig.index("(") + 1:-1]
        data = keccak(text=sig)[:4] + abi_encode(types.split(",") if types else [], args)
        return self.send(self.keys[0], und(self.contracts[label].lower()), data, value)

    def setup(self) -> None:
        usdc = self.deploy("USDC", "DevToken", ["string", "string", "uint8"], ["Dev USD Coin", "USDC", 6])
        usdt = self.deploy("USDT", "DevToken", ["string", "string", "uint8"], ["Dev Tether", "USDT", 6])
        weth = self.deploy("WETH", "DevToken", ["string", "string", "uint8"], ["Dev Wrapped Ether", "WETH", 18])
        self.deploy("ERC4626Vault", "Vault4626", ["address", "string", "string"], [usdc, "Dev USDC Vault", "dvUSDC"])
        self.deploy("AaveV3Pool", "LendingPool", ["address", "uint256"], [usdc, 5 * 10**25])           # 5 % APR
        # ~4 % APR, and 10^-9 WETH a second for all suppliers
        self.deploy("CometUSDC", "CometMarket", ["address", "uint64", "uint256"], [usdc, 1_268_391_679, 10**6])
        self.deploy("CometRewards", "CometRewards", ["address"], [weth])
        lido = self.deploy("Lido", "LiquidStaking", [], [])
        self.deploy("LidoWithdrawalQueue", "WithdrawalQueue", ["address"], [lido])
        # 3000 USDC for a WETH
        price = math.isqrt((10**18 << 192) // (3000 * 10**6))
        self.deploy("UniswapV3PositionManager", "PositionManager", ["address", "address", "uint256"], [usdc, weth, price])
        owners = [Account.from_key(k).address for k in self.keys[1:4]]
        self.deploy("SmartWallet2of3", "SmartWallet", ["address[]", "uint256"], [owners, 2])
        self.deploy("Fickle", "Fickle", [], [])
        for tok, amount in ((usdc, 1_000_000 * 10**6), (usdt, 1_000_000 * 10**6), (weth, 1_000 * ETHER)):
            label = {usdc: "USDC", usdt: "USDT", weth: "WETH"}[tok]
            for k in self.keys:
                self.call_fn(label, "mint(address,uint256)", [Account.from_key(k).address, amount])
        self.custodian = Account.from_key(custodian_key())
        for label in ("AaveV3Pool", "CometUSDC"):                                                       # interest reserve
            self.call_fn("USDC", "mint(address,uint256)", [self.contracts[label], 10_000_000 * 10**6])
        self.call_fn("WETH", "mint(address,uint256)", [self.contracts["CometRewards"], 1_000 * ETHER])
        for label, amount in (("USDC", 10_000_000 * 10**6), ("WETH", 10_000 * ETHER)):          # what others provide
            self.call_fn(label, "mint(address,uint256)", [self.contracts["UniswapV3PositionManager"], amount])

    def info(self, url: str) -> dict:
        c = self.chain
        return {"rpc": url, "chainId": c.chain_id, "block": len(c.canon) - 1, "pid": os.getpid(),
                "accounts": [{"address": Account.from_key(k).address, "privateKey": d(k)} for k in self.keys],
                "contracts": self.contracts, "custodian": self.custodian.address}

    def deployment(self) -> dict:
        at = self.contracts
        pair = {"protocol": "uniswap-v3", "asset": "USDC", "pair": "WETH", "fee": 3000,
                 "contract": at["UniswapV3PositionManager"], "receipt": at["UniswapV3PositionManager"],
                 "pool": at["UniswapV3PositionManager"]}
        return {"chain": f"eip155:{self.chain.chain_id}", "custody": self.custodian.address,
                "tokens": {"USDC": at["USDC"], "USDT": at["USDT"], "WETH": at["WETH"]},
                "protocols": [
                    {"id": "aave-usdc", "protocol": "aave-v3", "asset": "USDC", "contract": at["AaveV3Pool"],
                     "receipt": at["AaveV3Pool"]},
                    {"id": "compound-usdc", "protocol": "compound-v3", "asset": "USDC", "contract": at["CometUSDC"],
                     "receipt": at["CometUSDC"], "rewards": at["CometRewards"], "reward_token": "WETH"},
                    {"id": "vault-usdc", "protocol": "erc-4626", "asset": "USDC", "contract": at["ERC4626Vault"],
                     "receipt": at["ERC4626Vault"]},
                    {"id": "lido", "protocol": "lido", "asset": "ETH", "contract": at["Lido"], "receipt": at["Lido"],
                     "queue": at["LidoWithdrawalQueue"]},
                    {"id": "uniswap-usdc-weth", **pair, "tick_lower": -887220, "tick_upper": 887220},
                    # From about 2500 to 3700 USDC for a WETH.
                    {"id": "uniswap-usdc-weth-narrow", **pair, "tick_lower": 194160, "tick_upper": 198060}]}


# ------------------------------------------------------------------ JSON-RPC
class Rpc:
    def __init__(self, chain: DevChain, fixture: Fixture):
        self.c, self.fx, self.faults, self.url = chain, fixture, [], ""
        self.lies, self.second = [], None
        c = chain
        self.table = {
            "web3_clientVersion": lambda: VERSION,
            "net_version": lambda: str(c.chain_id),
            "eth_chainId": lambda: q(c.chain_id),
            "eth_syncing": lambda: False,
            "eth_blockNumber": lambda: q(len(c.canon) - 1),
            "eth_gasPrice": lambda: q(c.next_base_fee() + GWEI),
            "eth_maxPriorityFeePerGas": lambda: q(GWEI),
            "eth_feeHistory": lambda n, newest="latest", p=None: c.fee_history(unq(n), newest, p or []),
            "eth_accounts": lambda: [self.fx.custodian.address.lower()],
            "eth_signTransaction": self.sign_transaction,
            "eth_getBalance": lambda a, t="latest": q(c.state_at(t).get_balance(unaddr(a))),
            "eth_getCode": lambda a, t="latest": d(c.state_at(t).get_code(unaddr(a))),
            "eth_getStorageAt": lambda a, s, t="latest": d(
                c.state_at(t).get_storage(unaddr(a), unq(s)).to_bytes(32, "big")),
            "eth_getTransactionCount": lambda a, t="latest": q(c.nonce(unaddr(a), t)),
            "eth_call": lambda tx, t="latest", *_: d(c.call(tx, t)),
            "eth_estimateGas": lambda tx, t="latest", *_: q(c.estimate(tx, t)),
            "eth_sendRawTransaction": lambda raw: d(c.send_raw(und(raw))),
            "eth_getTransactionByHash": self.tx_by_hash,
            "eth_getTransactionReceipt": lambda h: c.receipt(und(h)),
            "eth_getBlockByNumber": self.block_by_number,
            "eth_getBlockByHash": lambda h, full=False: (
                c.block_json(c.canon[c.number_of[und(h)]], full) if und(h) in c.number_of else None),
            "eth_getBlockReceipts": lambda t="latest": [
                c.receipt(x.hash) for x in c.chain.get_block_by_header(c.header(t)).transactions],
            "eth_getLogs": lambda f: c.get_logs(f),
            "txpool_status": lambda: {"pending": q(len(c.mempool)), "queued": "0x0"},
            "evm_mine": self.evm_mine,
            "evm_setAutomine": lambda on: setattr(c, "automine", bool(on)) or True,
            "evm_increaseTime": self.increase_time,
            "evm_setNextBlockTimestamp": lambda t: setattr(c, "next_timestamp", unq(t)) or True,
            "dev_reorg": lambda o=None: c.reorg(int((o or {}).get("depth", 1)), bool((o or {}).get("keep", True))),
            "dev_fault": self.add_fault,
            "dev_heal": lambda: self.faults.clear() or True,
            "dev_lie": self.add_lie,
            "dev_truth": lambda: self.lies.clear() or True,
            "dev_reset": self.reset,
            "dev_mint": self.dev_mint,
            "dev_info": lambda: self.fx.info(self.url),
            "dev_stats": lambda: dict(c.stats),
        }

    def tx_by_hash(self, h):
        c, h = self.c, und(h)
        if h in c.block_of:
            n, i = c.block_of[h]
            return c.tx_json(c.chain.get_block_by_header(c.canon[n]).transactions[i], c.canon[n], i)
        return c.tx_json(c.mempool[h]) if h in c.mempool else None

    def sign_transaction(self, call):
        acct = self.fx.custodian
        if call.get("from", "").lower() != acct.address.lower():
            raise RpcError(-32000, "unknown account")
        tx = {"type": 2, "chainId": unq(call["chainId"]), "nonce": unq(call["nonce"]), "gas": unq(call["gas"]),
              "maxFeePerGas": unq(call["maxFeePerGas"]), "maxPriorityFeePerGas": unq(call["maxPriorityFeePerGas"]),
              "value": unq(call.get("value", 0)), "data": und(call.get("data", "0x")),
              "to": to_checksum_address(call["to"])}
        return {"raw": d(bytes(acct.sign_transaction(tx).raw_transaction))}

    def block_by_number(self, tag="latest", full=False):
        self.c.stats["eth_getBlockByNumber.full"] += bool(full)
        try:
            return self.c.block_json(self.c.header(tag), full)
        except RpcError as e:
            if e.code == -32001:
                return None
            raise

    def evm_mine(self, n=1):
        self.c.mine(unq(n))
        return q(len(self.c.canon) - 1)

    def increase_time(self, s):
        self.c.time_offset += unq(s)
        return q(self.c.time_offset)

    def dev_mint(self, token, to, amount):
        label = next((k for k, v in self.fx.contracts.items() if k == token or v.lower() == token.lower()), None)
        if label is None:
            raise RpcError(-32602, f"unknown token {token!r}")
        return self.fx.call_fn(label, "mint(address,uint256)", [to_checksum_address(to), unq(amount)])["transactionHash"]

    def reset(self):
        for rpc in filter(None, (self, self.second)):
            rpc.faults.clear()
            rpc.lies.clear()
        return self.c.reset()

    def add_lie(self, o):
        self.lies.append((o["method"], o["about"].lower(), o["value"]))
        return True

    def said(self, method, params, result):
        """What is so, or what this node was told to say instead."""
        text = json.dumps(params).lower()
        return next((value for m, about, value in self.lies if m == method and about in text), result)

    def add_fault(self, o):
        self.faults.append({"method": o["method"], "kind": o.get("kind", "error"), "count": int(o.get("count", 1)),
                            "seconds": float(o.get("seconds", 1))})
        return True

    def behind(self, answer):
        """What a node answers that has the newest block not yet."""
        c = self.c
        if len(c.canon) < 2:
            return answer()
        head = c.canon.pop()
        hidden = {t.hash: t for t in c.chain.get_block_by_header(head).transactions}
        places = {h: c.block_of.pop(h) for h in hidden}
        del c.number_of[head.hash]
        c.mempool.update(hidden)
        try:
            return answer()
        finally:
            for h in hidden:
                del c.mempool[h]
            c.canon.append(head)
            c.number_of[head.hash] = head.block_number
            c.block_of.update(places)

    def _fault(self, method):
        for f in self.faults:
            if f["count"] > 0 and (f["method"] == method
                                   or f["method"] == "*" and not method.startswith(("dev_", "evm_"))):
                f["count"] -= 1
                self.c.stats["fault." + f["kind"]] += 1
                return f
        return None

    def one(self, req):
        if not isinstance(req, dict) or req.get("jsonrpc") != "2.0" or not isinstance(req.get("method"), str):
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}}
        rid, method, params = req.get("id"), req["method"], req.get("params") or []
        generation = self.c.generation
        self.c.stats[method] += 1
        f = self._fault(method)
        if f and f["kind"] == "delay":
            time.sleep(f["seconds"])
        elif f and f["kind"] == "drop":
            raise Dropped
        try:
            if f and f["kind"] == "error":
                raise RpcError(-32000, "injected fault")
            fn = self.table.get(method)
            if fn is None:
                raise RpcError(-32601, f"the method {method} does not exist/is not available")
            try:
                with self.c.lock:
                    if self.c.generation != generation:
                        raise Dropped
                    began = time.perf_counter()
                    call = lambda: fn(*params) if isinstance(params, list) else fn(**params)
                    is_behind = f and f["kind"] == "lag" and method not in CHANGING
                    result = self.behind(call) if is_behind else call()
                    self.c.stats["busy"] += int((time.perf_counter() - began) * 1e6)
            except TypeError as e:
                raise RpcError(-32602, f"invalid params: {e}") from None
            if f and f["kind"] == "late":
                time.sleep(f["seconds"])
            if f and f["kind"] == "lost":
                raise Dropped
            if f and f["kind"] == "garbage":
                result = "0x"
            result = self.said(method, params, result)
            return {"jsonrpc": "2.0", "id": rid, "result": result}
        except Dropped:
            raise
        except RpcError as e:
            err = {"code": e.code, "message": e.message}
            if e.data is not None:
                err["data"] = e.data
            return {"jsonrpc": "2.0", "id": rid, "error": err}
        except Exception as e:                                  # a bug here must not look like a chain answer
            logging.exception("internal error in %s", method)
            return {"jsonrpc": "2.0", "id": rid, "error": {"code": -32603, "message": f"internal: {e}"}}


def make_handler(first: Rpc):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            # The same chain by another node, with faults and lies of its own.
            rpc = first.second if self.path == "/second" else first
            try:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    req = json.loads(body)
                except ValueError:
                    out = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}
                else:
                    out = [rpc.one(r) for r in req] if isinstance(req, list) else rpc.one(req)
            except Dropped:
                self.close_connection = True
                self.connection.close()
                return
            data = json.dumps(out).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    return Handler


def publish(path: str, text: str) -> None:
    """Nobody sees a half-written file."""
    tmp = pathlib.Path(path + ".tmp")
    tmp.write_text(text)
    tmp.rename(path)


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--port", type=int, default=8545, help="0 picks a free port")
    p.add_argument("--chain-id", type=int, default=CHAIN_ID)
    p.add_argument("--accounts", type=int, default=8)
    p.add_argument("--block-time", type=float, default=0, help="seconds between blocks; 0 mines at once")
    p.add_argument("--genesis-time", type=int, help="fixed genesis timestamp, for reproducible runs")
    p.add_argument("--ready-file", help="write the JSON info here once the port is open")
    p.add_argument("--deployment-file", help="write tokens and protocols here, as DIBOAS_ETHEREUM_DEPLOYMENT takes them")
    a = p.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    keys = dev_keys(a.accounts)
    funded = [und(Account.from_key(k).address.lower()) for k in (*keys, custodian_key())]
    chain = DevChain(funded, a.chain_id, a.genesis_time)
    fx = Fixture(chain, keys)
    fx.setup()
    chain.keep()
    rpc = Rpc(chain, fx)
    rpc.second = Rpc(chain, fx)
    srv = ThreadingHTTPServer(("127.0.0.1", a.port), make_handler(rpc))
    srv.daemon_threads = True
    rpc.url = f"http://127.0.0.1:{srv.server_address[1]}"
    if a.block_time > 0:
        chain.automine = False

        def ticker():
            while True:
                time.sleep(a.block_time)
                with chain.lock:
                    chain.mine()
        threading.Thread(target=ticker, daemon=True).start()
    info = json.dumps(fx.info(rpc.url), indent=1)
    print(info, flush=True)
    if a.deployment_file:
        publish(a.deployment_file, json.dumps(fx.deployment(), indent=1))
    if a.ready_file:
        publish(a.ready_file, info)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=srv.shutdown, daemon=True).start())
    try:
        srv.serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

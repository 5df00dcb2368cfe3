"""localstripe with a proxy in front that does what networks and providers do: loses answers, delays, repeats, reorders.

Listens on two free ports of 127.0.0.1 and prints one line of JSON with the proxy's port.
It ends with its standard input.

POST /_faults with {"rules": [...], "hooks": {...}} sets what goes wrong:
  rules: used up one after the other by requests that begin with "match" ("POST /v1/refunds"):
    "before":  answer with this status, the peer never sees the request (0: cut the connection)
    "after":   the peer acts, the client gets this status instead of the answer (0: cut the connection)
    "seconds": wait this long before the request is passed on
    "holds":   keep the answer back for this long
  "honours_keys": POSTs with the same Idempotency-Key get the first answer again
  "newest_first": lists are turned round, as the real one has them
POST /_hooks with {"url", "secret", "copies", "reverse_of", "hold"}: where webhooks go, how often each, how many are
  gathered and sent in reverse order, whether they are held back until POST /_hooks/release.
GET /_seen: the requests that reached the peer, {"POST /v1/payment_intents": 2, …}.
"""
import asyncio
import hashlib
import hmac
import json
import sys
import time

import aiohttp
from aiohttp import web
from localstripe.resources import store
from localstripe.server import app as peer_app
from localstripe.webhooks import register_webhook

# Its default writes a pickle in the temporary folder with every request.
type(store).dump_to_disk = lambda self: None

FAULTS = {"rules": [], "honours_keys": False, "newest_first": False}
HOOKS = {"url": None, "secret": "", "copies": 1, "reverse_of": 1, "hold": False}
SEEN, ANSWERS, HELD, GATHERED = {}, {}, [], []
BODY_BYTES_MAX = 4 << 20


def take_rule(line):
    for index, rule in enumerate(FAULTS["rules"]):
        if line.startswith(rule["match"]):
            return FAULTS["rules"].pop(index)
    return {}


def failure(request, status):
    if status:
        return web.json_response({"error": {"type": "api_error"}}, status=status)
    request.transport.abort()
    return web.Response(status=500)


async def forward(request):
    line = f"{request.method} {request.path}"
    body = await request.read()
    rule = take_rule(line)
    if "before" in rule:
        return failure(request, rule["before"])
    if "seconds" in rule:
        await asyncio.sleep(rule["seconds"])
    key = request.headers.get("Idempotency-Key") if FAULTS["honours_keys"] else None
    if key and (line, key) in ANSWERS:
        status, answer = ANSWERS[(line, key)]
    else:
        status, answer = await ask_peer(request, line, body)
        if key and status < 500:
            ANSWERS[(line, key)] = (status, answer)
    if "holds" in rule:
        await asyncio.sleep(rule["holds"])
    if "after" in rule:
        return failure(request, rule["after"])
    return web.Response(body=answer, status=status, content_type="application/json")


async def ask_peer(request, line, body):
    SEEN[line] = SEEN.get(line, 0) + 1
    names = ("Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version")
    headers = {name: request.headers[name] for name in names if name in request.headers}
    url = f"http://127.0.0.1:{request.app['peer_port']}{request.path_qs}"
    async with request.app["session"].request(request.method, url, data=body or None, headers=headers) as answer:
        content = await answer.read()
    if FAULTS["newest_first"] and request.method == "GET":
        content = newest_first(request, content)
    return answer.status, content


def newest_first(request, content):
    """The page of the turned list; the peer's own pages are of the list as it stands."""
    kind = request.path.removeprefix("/v1/").removesuffix("s")
    if request.path.count("/") != 2 or kind not in ("payment_intent", "event"):
        return content
    everything = [value._export() for key, value in store.items() if key.startswith(kind + ":")]
    since = int(request.query.get("created[gte]", 0))
    everything = [each for each in reversed(everything) if each["created"] >= since]
    after, limit = request.query.get("starting_after"), int(request.query.get("limit", 10))
    start = next((i + 1 for i, each in enumerate(everything) if each["id"] == after), 0)
    page = {"object": "list", "data": everything[start:start + limit], "has_more": start + limit < len(everything)}
    return json.dumps(page).encode()


async def hook(request):
    body = await request.read()
    GATHERED.append(body)
    if len(GATHERED) >= HOOKS["reverse_of"]:
        ready = [*reversed(GATHERED)]
        GATHERED.clear()
        if HOOKS["hold"]:
            HELD.extend(ready)
        else:
            await send(request.app, ready)
    return web.Response()


async def send(app, bodies):
    for body in bodies:
        for _ in range(HOOKS["copies"]):
            now = int(time.time())
            code = hmac.new(HOOKS["secret"].encode(), b"%d." % now + body, hashlib.sha256).hexdigest()
            headers = {"Stripe-Signature": f"t={now},v1={code}", "Content-Type": "application/json"}
            async with app["session"].post(HOOKS["url"], data=body, headers=headers) as answer:
                HOOKS.setdefault("statuses", []).append(answer.status)


async def set_faults(request):
    FAULTS.update({"rules": [], "honours_keys": False, "newest_first": False} | await request.json())
    return web.Response()


async def set_hooks(request):
    HOOKS.update(await request.json())
    return web.Response()


async def release(request):
    ready = HELD[:]
    HELD.clear()
    await send(request.app, ready)
    return web.json_response({"released": len(ready)})


async def seen(request):
    return web.json_response({"requests": SEEN, "statuses": HOOKS.get("statuses", []), "held": len(HELD)})


async def objects(request):
    kind = request.match_info["kind"]
    return web.json_response([value._export() for key, value in store.items() if key.startswith(kind + ":")])


async def listen(app):
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner.addresses[0][1]


async def main():
    peer_port = await listen(peer_app)
    proxy = web.Application(client_max_size=BODY_BYTES_MAX)
    proxy["peer_port"], proxy["session"] = peer_port, aiohttp.ClientSession()
    proxy.add_routes([
        web.post("/_faults", set_faults), web.post("/_hooks", set_hooks), web.post("/_hooks/release", release),
        web.post("/_hook", hook), web.get("/_seen", seen), web.get("/_objects/{kind}", objects),
        web.route("*", "/v1/{path:.*}", forward),
    ])
    proxy_port = await listen(proxy)
    register_webhook("proxy", f"http://127.0.0.1:{proxy_port}/_hook", "not checked", None)
    print(json.dumps({"port": proxy_port}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await proxy["session"].close()


asyncio.run(main())

"""An independent calculation of fees, by decimal arithmetic that traps on every inexact result.

    fee_oracle.py quotes CASES SEED    fee_oracle.py fills CASES SEED

`quotes` writes JSON lines: a schedule (an object) followed by cases for it (arrays) of
    [amount, tier, month volume, provider, options, used, expected]
where expected is "total|rule:base:raw:amount:bound:taken amount:taken count;..." or "!error".
`fills` writes arrays of [asset, [[fill, percent], ...], [fee, ...]].
"""
import json
import random
import sys
from decimal import (ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, getcontext,
                     setcontext)

setcontext(Context(prec=200, traps=[Inexact, InvalidOperation]))
ROUNDS = Context(prec=200, traps=[InvalidOperation])
ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
SCALES = {"USD": 2, "EUR": 2, "USDC": 6, "USDT": 6, "BTC": 8, "SOL": 9, "ETH": 18}
CATEGORIES = ["platform", "provider", "network", "compliance", "premium"]
PROVIDERS = ["stripe", "moonpay", "ramp"]
OPTIONS = ["instant", "priority"]
CASES_PER_SCHEDULE = 50


def written(number, decimals_max=None):
    """At least two decimals, zeros beyond them trimmed."""
    text = format(number, "f")
    units, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0").ljust(2, "0")
    if decimals_max is not None and len(decimals) > decimals_max:
        raise ValueError(f"{text} has more than {decimals_max} decimals")
    return f"{units}.{decimals}"


# --- generation -------------------------------------------------------------------------------------------------------

class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def money(self, scale, digits_max=7):
        """A log-uniform amount above zero."""
        number = self.random.randrange(1, 10 ** self.random.randint(1, digits_max))
        if scale > 2 and self.chance(0.6):
            number *= 10 ** self.random.randint(0, scale - 2)
        return Decimal(number).scaleb(-scale)

    def percent(self, most=100):
        shape = self.random.random()
        if shape < 0.05:
            return ZERO
        if shape < 0.7:
            return Decimal(self.random.randint(1, most * 10)) / 10
        return Decimal(self.random.randint(1, most * 10 ** 7)).scaleb(-7)

    def percent_text(self, number):
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text

    def bands(self, scale):
        ends = sorted({self.money(scale, 9) for _ in range(self.random.randint(0, 5))})
        bands = []
        for end in ends + [None]:
            band = {} if end is None else {"up_to": written(end, scale)}
            band["percent"] = self.percent_text(self.percent(10))
            if self.chance(0.4):
                band["flat"] = written(self.money(scale, 3), scale)
            bands.append(band)
        return bands

    def terms(self, scale):
        terms = []
        for _ in range(self.random.choice([1, 1, 1, 2, 2, 3])):
            shape = self.random.random()
            if shape < 0.3:
                terms.append({"flat": written(self.money(scale, 4), scale)})
            elif shape < 0.65:
                terms.append({"percent": self.percent_text(self.percent(10))})
            elif shape < 0.85:
                terms.append({"graduated": self.bands(scale)})
            else:
                terms.append({"volume": self.bands(scale)})
        return terms

    def rule(self, index, scale):
        category = self.random.choice(CATEGORIES)
        rule = {"rule": f"rule_{index}", "category": category, "text": f"Fee {index}", "terms": self.terms(scale)}
        low, high = sorted([self.money(scale, 4), self.money(scale, 6)])
        if self.chance(0.25):
            rule["minimum"] = written(low, scale)
        if self.chance(0.25):
            rule["maximum"] = written(high, scale)
        if self.chance(0.25):
            rule["cap_percent"] = self.percent_text(self.percent(20))
        if self.chance(0.2):
            if self.chance(0.5):
                rule["allowance"] = {"amount": written(self.money(scale, 8), scale)}
            else:
                rule["allowance"] = {"count": self.random.randint(1, 5)}
        if self.chance(0.4):
            rule["tiers"] = {str(tier): self.tier(scale) for tier in range(1, 6) if self.chance(0.5)}
        if self.chance(0.3):
            starts = sorted({self.money(scale, 9) for _ in range(self.random.randint(1, 4))})
            rule["volume_discounts"] = [
                {"from": written(start, scale), "discount_percent": self.percent_text(self.percent())}
                for start in starts]
        if self.chance(0.1):
            rule["provider"] = self.random.choice(PROVIDERS)
        if category == "premium":
            rule["premium_option"] = self.random.choice(OPTIONS)
        return rule

    def tier(self, scale):
        if self.chance(0.3):
            return {"terms": self.terms(scale)}
        return {"discount_percent": "100" if self.chance(0.05) else self.percent_text(self.percent())}

    def schedule(self, number):
        asset = self.random.choice(list(SCALES))
        rules = [self.rule(index, SCALES[asset]) for index in range(self.random.choice([0, 1, 1, 2, 2, 3, 4, 6]))]
        return {
            "id": "fsch_" + str(number).rjust(26, "0"), "version": number, "operation": "banking.oracle",
            "asset": asset, "effective_from": "2025-01-01T00:00:00Z", "effective_to": None,
            "allow_exceed": self.chance(0.6), "rules": rules}

    def case(self, schedule):
        scale = SCALES[schedule["asset"]]
        shape = self.random.random()
        amount = ZERO if shape < 0.005 else self.money(scale, 38 if shape < 0.03 else 10)
        if amount.scaleb(scale) >= Decimal(10) ** 38:
            amount = Decimal(10 ** 38 - 1).scaleb(-scale)
        volume = ZERO if self.chance(0.3) else self.money(scale, 10)
        provider = None if self.chance(0.05) else self.random.choice(PROVIDERS)
        known = {rule.get("premium_option") for rule in schedule["rules"]}
        options = [option for option in OPTIONS if self.chance(0.6 if option in known else 0.01)]
        used = {}
        for rule in schedule["rules"]:
            if "allowance" in rule and not self.chance(0.01):
                spent = ZERO if self.chance(0.4) else self.money(scale, 8)
                used[rule["rule"]] = [written(spent, scale), self.random.randint(0, 5)]
        return [written(amount, scale), self.random.randint(1, 5), written(volume, scale), provider, options, used]


# --- the calculation --------------------------------------------------------------------------------------------------

class Refused(Exception):
    pass


def band_fee(band, part):
    return part * Decimal(band["percent"]) / HUNDRED + Decimal(band.get("flat", "0"))


def term_fee(term, base):
    (method, value), = term.items()
    if method == "flat":
        return Decimal(value)
    if method == "percent":
        return base * Decimal(value) / HUNDRED
    if method == "volume":
        return next(band_fee(band, base) for band in value if "up_to" not in band or base <= Decimal(band["up_to"]))
    total, start = ZERO, ZERO
    for band in value:
        end = Decimal(band["up_to"]) if "up_to" in band else base
        part = min(base, end) - start
        if part <= 0:
            break
        total += band_fee(band, part)
        start = end
    return total


def line_fee(rule, amount, tier, volume, used, scale):
    """(base, raw, bound, taken amount, taken count)"""
    taken_amount, taken_count, has_allowance = ZERO, 0, "allowance" in rule
    if has_allowance:
        if rule["rule"] not in used:
            raise Refused("allowance_usage_missing")
        spent, count = used[rule["rule"]]
        allowance = rule["allowance"]
        if "amount" in allowance:
            taken_amount = min(amount, max(ZERO, Decimal(allowance["amount"]) - Decimal(spent)))
        else:
            taken_count = 1 if count < allowance["count"] else 0
    taken = (taken_amount, taken_count) if has_allowance else None
    base = amount - taken_amount
    if base == 0 or taken_count:
        return base, ZERO, "allowance", taken
    own = rule.get("tiers", {}).get(str(tier), {})
    discounts = [Decimal(own.get("discount_percent", "0"))]
    for step in rule.get("volume_discounts", []):
        if Decimal(step["from"]) <= volume:
            best = Decimal(step["discount_percent"])
            discounts[1:] = [best]
    discount = max(discounts)
    if discount == HUNDRED:
        return base, ZERO, "waived", taken
    fee = sum((term_fee(term, base) for term in own.get("terms", rule["terms"])), ZERO)
    fee = fee * (HUNDRED - discount) / HUNDRED
    bound = None
    if "minimum" in rule and fee < Decimal(rule["minimum"]):
        fee, bound = Decimal(rule["minimum"]), "minimum"
    if "maximum" in rule and fee > Decimal(rule["maximum"]):
        fee, bound = Decimal(rule["maximum"]), "maximum"
    if "cap_percent" in rule:
        cap = (amount * Decimal(rule["cap_percent"]) / HUNDRED).quantize(ONE.scaleb(-scale), ROUND_DOWN, ROUNDS)
        if fee > cap:
            fee, bound = cap, "cap"
    return base, fee, bound, taken


def expected(schedule, case):
    try:
        return quoted(schedule, case)
    except Refused as refusal:
        return f"!{refusal}"


def quoted(schedule, case):
    amount, tier, volume, provider, options, used = case
    amount, volume = Decimal(amount), Decimal(volume)
    scale = SCALES[schedule["asset"]]
    unit, limit = ONE.scaleb(-scale), Decimal(10) ** (38 - scale)
    if amount == 0:
        raise Refused("amount_not_positive")
    rules = schedule["rules"]
    if provider is None and any("provider" in rule for rule in rules):
        raise Refused("provider_required")
    known = {rule["premium_option"] for rule in rules if "premium_option" in rule}
    unknown = sorted(set(options) - known)
    if unknown:
        raise Refused(f"unknown_premium_option {unknown[0]}")
    lines = []
    for rule in rules:
        if rule.get("provider", provider) != provider or rule.get("premium_option") not in [None, *options]:
            continue
        lines.append((rule["rule"], *line_fee(rule, amount, tier, volume, used, scale)))
    exact = sum((line[2] for line in lines), ZERO)
    total = exact.quantize(unit, ROUND_HALF_EVEN, ROUNDS)
    if total >= limit:
        raise Refused("overflow")
    if total > amount and not schedule["allow_exceed"]:
        raise Refused(f"fees_exceed_amount {written(total, scale)}")
    floors = [line[2].quantize(unit, ROUND_FLOOR, ROUNDS) for line in lines]
    missing = int((total - sum(floors, ZERO)) / unit)
    order = sorted(range(len(lines)), key=lambda index: floors[index] - lines[index][2])
    amounts = [floor + unit if index in order[:missing] else floor for index, floor in enumerate(floors)]
    assert sum(amounts, ZERO) == total and missing >= 0
    texts = []
    for (name, base, raw, bound, taken), charged in zip(lines, amounts):
        taken_text = f"{written(taken[0], scale)}:{taken[1]}" if taken else ":"
        texts.append(
            f"{name}:{written(base, scale)}:{written(raw)}:{written(charged, scale)}:{bound or ''}:{taken_text}")
    return f"{written(total, scale)}|{';'.join(texts)}"


# --- modes ------------------------------------------------------------------------------------------------------------

def quotes(cases, seed):
    maker, write, dumps = Maker(seed), sys.stdout.write, json.JSONEncoder(separators=(",", ":")).encode
    schedule = None
    for number in range(cases):
        if number % CASES_PER_SCHEDULE == 0:
            schedule = maker.schedule(number // CASES_PER_SCHEDULE + 1)
            write(dumps(schedule) + "\n")
        case = maker.case(schedule)
        write(dumps(case + [expected(schedule, case)]) + "\n")


def fills(cases, seed):
    maker = Maker(seed)
    for _ in range(cases):
        asset = maker.random.choice(list(SCALES))
        scale = SCALES[asset]
        parts = [(maker.money(scale, 9), maker.percent(5)) for _ in range(maker.random.randint(1, 12))]
        exact, charged, fees = ZERO, ZERO, []
        for fill, percent in parts:
            exact += fill * percent / HUNDRED
            due = exact.quantize(ONE.scaleb(-scale), ROUND_HALF_EVEN, ROUNDS)
            fees.append(written(due - charged, scale))
            charged = due
        texts = [[written(fill, scale), maker.percent_text(percent)] for fill, percent in parts]
        sys.stdout.write(json.dumps([asset, texts, fees]) + "\n")


if __name__ == "__main__":
    {"quotes": quotes, "fills": fills}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
